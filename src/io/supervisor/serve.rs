//! The supervisor itself: a process that starts workers, waits for them, and writes down how they
//! ended. It outlives the coordinator that started it, and ends with its last worker.
//!
//! One thread and one loop: orders come in, children end, pipes run dry.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::process::{Pid, WaitOptions, set_child_subreaper, setsid, wait};
use tokio::{
    io::BufReader,
    net::unix::pipe,
    signal::unix::{SignalKind, signal},
    sync::{Notify, mpsc},
    time::{Instant, sleep, sleep_until},
};

use super::{
    AWAY_LOOK, AWAY_MAX,
    child::{Child, exit_of, may_be_oom},
    children::{Family, left_by, orphans},
    ear::{Ear, Heard},
    orders::Orders,
    output::Output,
    pump::{Came, Pump},
    tell::Teller,
    wire::{self, End, Line, Order, VERSION},
};
use crate::{
    domain::model::attempt::WorkerEnd,
    io::{
        clock::Clock,
        event_loop,
        process::{
            How, Launch, ProcessError, Stat, Stdin, cause_of,
            cgroup::Cgroup,
            identity,
            leftovers::{Exact, kill_exact},
            oom::OomKills,
            start_piped,
        },
    },
};

/// How long processes that outlive their worker may take to end by themselves: the last writer of
/// a pipeline, for example. Then they are killed.
const LEAK_TIME: Duration = Duration::from_millis(100);

/// Time between two looks at processes that outlive their worker.
const LOOK: Duration = Duration::from_millis(20);

/// How long killed processes may take to be gone.
const KILL_TIME: Duration = Duration::from_secs(2);

/// Serves until the last worker has ended and no more orders can come. Orders come by standard
/// input; what happens is told to the file `ledger` and to standard output.
///
/// # Errors
/// What the system refuses before the first order. Later there is nobody to tell.
pub(super) fn serve(ledger: &Path) -> io::Result<()> {
    // The end of a terminal, of a login or of a coordinator is not the end of the workers.
    if let Err(errno) = setsid() {
        tracing::debug!(%errno, "the supervisor stays in its session");
    }
    set_child_subreaper(Pid::from_raw(1))?;
    // What gets away from its parents and its environment does not get out of a control group.
    let name = ledger.file_stem().unwrap_or_default().to_string_lossy();
    let group = Cgroup::planned(&name);
    let served = supervise(ledger, group.as_ref());
    if let Some(group) = group {
        group.leave();
    }
    served
}

fn supervise(ledger: &Path, group: Option<&Cgroup>) -> io::Result<()> {
    event_loop::build()?.block_on(async {
        let orders = pipe::Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
        let teller = Teller::new(ledger)?;
        Server::new(teller).go(orders, group).await
    })
}

struct Server {
    teller: Teller,
    /// Workers in the order of their starts.
    children: BTreeMap<u64, Child>,
    n_started: u64,
    /// Whether its coordinator went while workers ran.
    is_orphaned: bool,
    /// Pipes tell what came of them here.
    came: mpsc::UnboundedReceiver<(u64, Came)>,
    on_came: mpsc::UnboundedSender<(u64, Came)>,
    /// When to look at what outlives its worker.
    look: Option<Instant>,
    clock: Clock,
    oom_kills: Option<OomKills>,
}

impl Server {
    fn new(teller: Teller) -> Self {
        let (on_came, came) = mpsc::unbounded_channel();
        let (children, n_started, look) = (BTreeMap::new(), 0, None);
        let (is_orphaned, clock) = (false, Clock::new());
        let oom_kills = None;
        Self { teller, children, n_started, is_orphaned, came, on_came, look, clock, oom_kills }
    }

    async fn go(mut self, orders: pipe::Receiver, group: Option<&Cgroup>) -> io::Result<()> {
        let mut ended = signal(SignalKind::child())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // Ctrl-C and the end of a terminal are for the coordinator.
        let _interrupt = signal(SignalKind::interrupt())?;
        let _hang_up = signal(SignalKind::hangup())?;
        let own = identity(std::process::id());
        let (pid, start_ticks, boot_id) = (own.pid, own.start_ticks, own.boot_id);
        let cgroup = group.map(|group| wire::Raw::from(&group.folder));
        self.teller.tell(&Line::Hello { version: VERSION, pid, start_ticks, boot_id, cgroup });
        // Told first: whoever finds this process dead finds the group, too.
        if let Some(Err(error)) = group.map(Cgroup::enter) {
            tracing::debug!(%error, "there is no control group");
        }
        self.oom_kills = OomKills::find();
        let mut orders = Orders { reader: Some(BufReader::new(orders)), line: Vec::new() };
        loop {
            let overdue = self.time_out().filter(|_| orders.reader.is_none());
            tokio::select! {
                biased;
                _ = ended.recv() => self.look_after_ended(),
                Some((which, came)) = self.came.recv() => self.came(which, came),
                order = orders.next() => match order {
                    Some(order) => self.start(&order),
                    None => {
                        self.is_orphaned = !self.children.is_empty();
                        self.teller.tell_orphaned(self.is_orphaned);
                    }
                },
                () = self.teller.can_send() => self.teller.send(),
                () = until(self.look) => self.look_after_ended(),
                () = until(overdue) => self.stop_overdue(),
                _ = terminate.recv() => self.stop_all(),
            }
            if orders.reader.is_none() && self.children.is_empty() {
                self.teller.write();
                if self.is_orphaned {
                    self.wait_for_place().await;
                }
                return Ok(());
            }
        }
    }

    /// Waits until the ledger is in its place, where someone took that away: how the last workers
    /// ended would be forgotten, and they would be started again.
    async fn wait_for_place(&mut self) {
        let deadline = Instant::now() + AWAY_MAX;
        while self.teller.is_away() && Instant::now() < deadline {
            sleep(AWAY_LOOK).await;
        }
    }

    fn start(&mut self, order: &Order) {
        let nonce = order.nonce.clone();
        // Of what was killed before this one, nobody asks any more.
        if let Some(kills) = self.oom_kills.as_mut().filter(|_| self.children.is_empty()) {
            kills.forget();
        }
        let launch = Launch {
            argv: order.argv.clone(),
            folder: PathBuf::from(order.folder.0.clone()),
            env: order.env.iter().map(|(name, value)| (name.0.clone(), value.0.clone())).collect(),
            stdin: order.input.clone().map_or(Stdin::Null, |path| Stdin::File(path.into())),
            output: PathBuf::from(order.log.0.clone()),
        };
        let piped = start_piped(&launch).and_then(|(pid, reader)| {
            let reader = pipe::Receiver::from_owned_fd(reader.into());
            // Without a reader it would run, but never be heard: it ends when it writes.
            reader.map(|reader| (pid, reader)).map_err(|error| ProcessError::Exhausted {
                program: order.argv.first().cloned().unwrap_or_default(),
                reason: error.to_string(),
            })
        });
        let (pid, reader) = match piped {
            Ok(started) => started,
            Err(error) => {
                let is_passing = error.is_temporary();
                let cause = cause_of(&error);
                return self.teller.tell(&Line::NotStarted { nonce, cause, is_passing });
            }
        };
        let start_ticks = identity(pid).start_ticks;
        let now = self.clock.now();
        let give_up = Arc::new(Notify::new());
        let secrets = order.secrets.iter().map(|s| s.0.as_encoded_bytes().to_vec()).collect();
        let output =
            Output::new(launch.output, order.log_bytes_max, secrets, order.signal.as_deref());
        self.n_started += 1;
        let which = self.n_started;
        let ear = order.agent.as_deref().and_then(|name| Ear::new(name, order.model.as_deref()));
        let (give_up_too, teller) = (Arc::clone(&give_up), self.on_came.clone());
        let pump = Pump { which, reader, output, ear, give_up: give_up_too, teller };
        tokio::spawn(pump.run());
        let child = Child {
            nonce: nonce.clone(),
            pid,
            start_ticks,
            give_up,
            said: None,
            is_oom: false,
            ended: None,
            timeout: order
                .timeout_ms
                .and_then(|ms| Instant::now().checked_add(Duration::from_millis(ms))),
            grace: Duration::from_millis(order.grace_ms),
            kill_at: None,
            killed: BTreeSet::new(),
            is_gone: false,
        };
        self.children.insert(which, child);
        let (tick_us, wall_ms) = (wire::micros(now.tick), now.wall.0);
        self.teller.tell_soon(&Line::Started { nonce, pid, start_ticks, tick_us, wall_ms });
    }

    /// Waits for every process that has ended: workers, and orphans that were taken in. Returns
    /// whether there is any that has not.
    fn reap(&mut self) -> bool {
        loop {
            let (pid, status) = match wait(WaitOptions::NOHANG) {
                Ok(Some(ended)) => ended,
                Ok(None) => return true,
                Err(_) => return false,
            };
            let pid = u32::try_from(pid.as_raw_pid()).unwrap_or_default();
            let is_it = |child: &&mut Child| child.pid == pid && child.ended.is_none();
            if let Some(child) = self.children.values_mut().find(is_it) {
                let exit = exit_of(status);
                child.ended = Some((exit, Instant::now(), self.clock.now()));
                let oom_kills = self.oom_kills.as_mut();
                child.is_oom = may_be_oom(exit) && oom_kills.is_some_and(OomKills::take);
            }
        }
    }

    fn came(&mut self, which: u64, came: Came) {
        let Some(child) = self.children.get_mut(&which) else { return };
        let nonce = child.nonce.clone();
        match came {
            Came::Heard(Heard::Used(usage)) => {
                self.teller.tell(&Line::Used { nonce, usage: usage.into() });
            }
            Came::Heard(Heard::Limited(limit)) => {
                self.teller.tell(&Line::Limited { nonce, limit: limit.into() });
            }
            Came::Short(cause) => self.teller.tell(&Line::Short { nonce, cause }),
            Came::Dry(said) => {
                child.said = Some(said);
                self.look_after_ended();
            }
        }
    }

    /// Looks at the workers that ended: what they left is killed, and those that left nothing are
    /// told.
    fn look_after_ended(&mut self) {
        self.teller.write();
        self.look = None;
        let has_children = self.reap();
        let now = Instant::now();
        let mut ended = Vec::new();
        for (which, child) in &self.children {
            let Some((_, since, _)) = child.ended else { continue };
            // Nothing is decided before its pipe ran dry, or its time is over.
            if child.said.is_some() || now >= since + LEAK_TIME {
                ended.push(*which);
            } else {
                self.look = Some(now + LOOK);
            }
        }
        if ended.is_empty() {
            return;
        }
        let running: BTreeSet<u32> =
            self.children.values().filter(|c| c.ended.is_none()).map(|c| c.pid).collect();
        let orphans = orphans(|pid| running.contains(&pid));
        // Of processes that come and go quickly the list may miss one that is there.
        let is_unclear = has_children && running.is_empty() && orphans.is_empty();
        for which in ended {
            if self.is_over(which, &orphans, is_unclear) {
                self.tell_end(which);
            } else {
                self.look = Some(now + LOOK);
            }
        }
    }

    /// Sees to what the ended worker left; says whether that is all over.
    fn is_over(&mut self, which: u64, orphans: &BTreeMap<u32, Stat>, is_unclear: bool) -> bool {
        let Some((_, since, _)) = self.children.get(&which).and_then(|child| child.ended) else {
            return false;
        };
        let left = if orphans.is_empty() { BTreeSet::new() } else { self.left(which, orphans) };
        let Some(child) = self.children.get_mut(&which) else { return false };
        let time = since.elapsed();
        if time >= LEAK_TIME {
            for process in &left {
                kill_exact(*process);
                child.killed.insert(*process);
            }
            if child.said.is_none() {
                child.give_up.notify_one();
            }
        }
        let was_gone = child.is_gone || child.killed.is_empty();
        child.is_gone = left.is_empty() && !is_unclear;
        let is_gone = child.is_gone && was_gone || time >= LEAK_TIME + KILL_TIME;
        is_gone && child.said.is_some()
    }

    fn left(&self, which: u64, orphans: &BTreeMap<u32, Stat>) -> BTreeSet<Exact> {
        let Some(own) = self.children.get(&which) else { return BTreeSet::new() };
        let running = self.children.values().filter(|other| other.ended.is_none());
        let others: Vec<Family<'_>> = running.map(Child::family).collect();
        left_by(own.family(), &others, orphans)
    }

    fn tell_end(&mut self, which: u64) {
        let Some(child) = self.children.remove(&which) else { return };
        let killed_by = child.killer();
        let (Some((exit, _, at)), Some(said)) = (child.ended, child.said) else { return };
        let n_leaked = u32::try_from(child.killed.len()).unwrap_or(u32::MAX);
        let end = WorkerEnd {
            has_signal: said.has_signal,
            killed_by,
            usage: said.found.usage,
            limit: said.found.limit,
            n_leaked,
            ..WorkerEnd::of(exit)
        };
        let end = End::new(&end, at);
        self.teller.tell(&Line::Exited { nonce: child.nonce, end });
    }

    /// Returns when the time of a worker is over next.
    fn time_out(&self) -> Option<Instant> {
        let running = self.children.values().filter(|child| child.ended.is_none());
        running.filter_map(|child| child.kill_at.or(child.timeout)).min()
    }

    /// Stops workers whose time is over: nobody else would, while no coordinator is there.
    fn stop_overdue(&mut self) {
        let now = Instant::now();
        for child in self.children.values_mut().filter(|child| child.ended.is_none()) {
            let (how, kill_at) = match (child.kill_at, child.timeout) {
                (Some(kill_at), _) if kill_at <= now => (How::Kill, now + KILL_TIME),
                (None, Some(timeout)) if timeout <= now => (How::Polite, now + child.grace),
                _ => continue,
            };
            child.kill_at = Some(kill_at);
            child.stop(how);
        }
    }

    /// Somebody wants the supervisor to end: its workers are asked to.
    fn stop_all(&mut self) {
        for child in self.children.values().filter(|child| child.ended.is_none()) {
            child.stop(How::Polite);
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
