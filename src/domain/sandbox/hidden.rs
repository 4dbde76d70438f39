//! What no worker in a sandbox sees: keys, passwords, and the doors to services of the machine.

/// Below the home folder, where no variable says otherwise: what `orch` itself believes in.
pub const BELIEVED: &[(&str, &str)] =
    &[("XDG_DATA_HOME", ".local/share"), ("XDG_CONFIG_HOME", ".config")];

/// The folder in each of these that is its own.
pub const OWN: &str = "orch";

/// Below the home folder: what programs keep keys, passwords and tokens in, and what was typed and
/// browsed.
pub const IN_HOME: &[&str] = &[
    ".age",
    ".aws",
    ".azure",
    ".bash_history",
    ".boto",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".config/1Password",
    ".config/BraveSoftware",
    ".config/chromium",
    ".config/containers/auth.json",
    ".config/doctl",
    ".config/gcloud",
    ".config/gh",
    ".config/git/credentials",
    ".config/glab-cli",
    ".config/google-chrome",
    ".config/hub",
    ".config/op",
    ".config/rclone",
    ".config/sops",
    ".databrickscfg",
    ".docker",
    ".gem/credentials",
    ".git-credentials",
    ".gnupg",
    ".gradle/gradle.properties",
    ".kube",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    ".m2/settings.xml",
    ".mozilla",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".password-store",
    ".pgpass",
    ".psql_history",
    ".pypirc",
    ".python_history",
    ".s3cfg",
    ".ssh",
    ".terraform.d",
    ".thunderbird",
    ".vault-token",
    ".yarnrc.yml",
    ".zsh_history",
];

/// Elsewhere: what only root reads, where a worker is root.
pub const ELSEWHERE: &[&str] = &[
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/ssh/ssh_host_dsa_key",
    "/etc/ssh/ssh_host_ecdsa_key",
    "/etc/ssh/ssh_host_ed25519_key",
    "/etc/ssh/ssh_host_rsa_key",
    "/etc/sudoers",
    "/etc/sudoers.d",
];

/// Folders of which each sandbox has empty ones of its own. The last two hold the sockets of
/// services: of containers, of keys, of the desktop.
pub const PRIVATE: &[&str] = &["/tmp", "/var/tmp", "/run", "/var/run"];

/// What of them is there all the same: where names of machines are looked up.
pub const KEPT: &[&str] = &[
    "/run/NetworkManager/no-stub-resolv.conf",
    "/run/NetworkManager/resolv.conf",
    "/run/resolvconf",
    "/run/systemd/resolve",
];
