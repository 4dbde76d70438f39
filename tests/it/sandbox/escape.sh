#!/bin/sh
# Tries to get out of a sandbox, and ends well where nothing of it worked. What worked is named in the
# file `escaped`. `try` does no harm where there is no sandbox; `deep` might.
mkdir -p .orch/status
tries=0
echo begin
run() {
  tries=$((tries + 1))
  if sh -c "$2" >/dev/null 2>&1 </dev/null; then echo "$1" >> escaped; fi
}
try() { run "$1" "$2"; }
deep() { if [ -z "$SHALLOW" ]; then run "$1" "$2"; fi; }
export R="$ORCH_ROOT" L="$ORCH_ROOT/.orch/local"

# The repository and the plan.
try write-root 'echo x > "$R/canary"'
try write-through-link 'ln -sf "$R" way && echo x > way/canary-link; ok=$?; rm -f way; exit $ok'
try write-through-hard-link 'ln "$R/README" hard && echo x >> hard; ok=$?; rm -f hard; exit $ok'
try plan-config 'echo "# x" >> "$R/.orch/config.yaml"'
try plan-task 'echo x > "$R/.orch/tasks/new.txt"'
try plan-record 'echo x > "$R/.orch/runs/other.9.txt"'
try plan-status 'echo x > "$R/.orch/status/other.9.txt"'

# Git: settings, hooks, branches, and what leads to them.
try git-config 'echo "# x" >> "$R/.git/config"'
try git-hook 'mkdir -p "$R/.git/hooks" && echo x > "$R/.git/hooks/post-commit"'
try git-attributes 'mkdir -p "$R/.git/info" && echo "# x" >> "$R/.git/info/attributes"'
try git-objects 'echo x > "$R/.git/objects/x"'
try git-branch 'git update-ref refs/heads/planted HEAD'
try git-worktree-config 'echo "# x" >> "$(git rev-parse --git-dir)/config.worktree"'
deep git-worktree-gitdir 'echo /x > "$(git rev-parse --git-dir)/gitdir"'
deep git-worktree-commondir 'echo /x > "$(git rev-parse --git-dir)/commondir"'
deep git-link-written 'echo "gitdir: /x" > .git'
deep git-link-moved 'mv .git elsewhere'
deep git-link-removed 'rm -f .git; test ! -e .git'
deep worktree-moved 'mv "$ORCH_WORKTREE" "$ORCH_WORKTREE-x"'

# Other tasks, and the coordinator.
try other-worktree-seen 'ls "$L/worktrees/other/README"'
try other-worktree-written 'echo x > "$L/worktrees/other/x"'
try other-prompt 'cat "$L/prompts/other.1.md"'
try other-log 'cat "$L/logs/other/1.log"'
try own-log 'cat "$L/logs/$ORCH_TASK_ID/1.log"'
try ledgers 'cat "$L"/supervisors/*.jsonl'
try journal 'cat "$L/journal.jsonl"'

# The machine.
try home-written 'echo x > "$HOME/x"'
try home-key 'grep secret "$HOME/.ssh/id_test"'
try home-token 'grep secret "$HOME/.config/gh/hosts.yml"'
try home-password 'grep secret "$HOME/.netrc"'
try hidden-by-settings 'grep secret "$HOME/notes"'
try temporary-seen 'grep secret "$OUTSIDE/file"'
try other-temporary-seen 'grep secret "$OTHER_TMP"'
deep password-file 'grep root /etc/shadow'
deep etc-written 'echo x > /etc/orch-escape'
deep memory-seen 'ls "$SHARED_MEMORY"'

# Processes.
try process-killed 'kill -0 "$VICTIM"'
try process-environ 'tr "\0" "\n" < /proc/"$VICTIM"/environ | grep canary'
try process-root 'ls /proc/"$VICTIM"/root/etc'
try process-traced 'perl -e "exit(syscall(101, 16, int(\$ENV{VICTIM}), 0, 0) == 0 ? 0 : 1)" && kill -CONT "$VICTIM"'
deep first-process-root 'echo x > /proc/1/root"$R"/canary-proc'
deep first-process-folder 'echo x > /proc/1/cwd/../x'
deep open-folder 'for f in /proc/self/fd/*; do if test -d "$f"; then exit 0; fi; done; exit 1'
deep terminal 'perl -e "open(T, q(+<), q(/dev/tty)) or exit 1; exit(ioctl(T, 0x5412, q(x)) ? 0 : 1)"'
deep terminal-seen 'perl -e "open(T, q(<), q(/dev/tty)) or exit 1"'

# The network.
try network 'perl -MSocket -e "socket(S, PF_INET, SOCK_STREAM, 0); connect(S, sockaddr_in(int(\$ENV{PORT}), inet_aton(q(127.0.0.1)))) or exit 1"'
try abstract-socket 'perl -MSocket -e "socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un(qq(\0\$ENV{ABSTRACT}))) or exit 1"'
try socket 'perl -MSocket -e "socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un(qq(\$ENV{OUTSIDE}/socket))) or exit 1"'

# The kernel.
deep remount 'mount -o remount,rw,bind "$R"'
deep unmount 'umount -l "$L"'
deep bind-mount 'mount --bind "$R" /tmp'
deep namespaces 'unshare -Urm true'
deep namespace-mount 'unshare -Urm sh -c "mount -o remount,rw,bind \"$R\" && echo x > \"$R/canary-mount\""'
deep namespace-joined 'nsenter -t 1 -m true'
deep device 'mknod device b 254 0 && cat device'
deep root-changed 'mkdir -p r && chroot r /'
deep kernel-setting 'f=/proc/sys/kernel/core_pattern; v=$(cat $f) && echo "$v" > $f'
deep system-request 'echo h > /proc/sysrq-trigger'
deep kernel-log 'head -c 1 /dev/kmsg'
deep control-group 'for f in $(find /sys/fs/cgroup -name cgroup.procs); do if echo $$ > "$f"; then exit 0; fi; done; exit 1'

# The next one that is started.
deep program-replaced 'mkdir -p bin && cp /bin/sh bin/bwrap && echo x > "$(command -v bwrap)"'
deep own-prompt-written 'echo x >> "$ORCH_PROMPT_FILE"'

# Folders for temporary files are there, and are its own: what is written there is not seen outside.
mkdir -p "$OUTSIDE" /dev/shm && echo x > "$OUTSIDE/x" && echo x > "$OTHER_TMP" && echo x > "$SHARED_MEMORY"

echo "tried $tries"
test ! -e escaped
