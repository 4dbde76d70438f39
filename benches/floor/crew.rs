//! Workers that live for a while and give signs of life, and the place where they say when they
//! began and when they ended.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::{follow::now, program::Failure};

/// Time between two signs of life.
pub(crate) const BEAT: Duration = Duration::from_secs(5);

/// What a worker says of itself.
pub(crate) enum News {
    /// It reached its first instruction; with the way to tell it to end.
    Began { id: String, at: Duration, line: UnixStream },
    /// This is its last instruction.
    Ended { id: String, at: Duration },
}

/// The workers that were heard of.
pub(crate) struct Crew {
    place: PathBuf,
    news: mpsc::Receiver<News>,
    /// Those at work.
    lines: BTreeMap<String, UnixStream>,
    /// Moments at which workers began, in their order.
    pub(crate) began: Vec<Duration>,
    /// Moments at which workers ended, by their ids.
    pub(crate) ended: BTreeMap<String, Duration>,
}

impl Crew {
    /// Opens the place below `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder)?;
        let place = folder.join("crew");
        let listener = UnixListener::bind(&place)?;
        let (sender, news) = mpsc::channel();
        thread::spawn(move || {
            for line in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                // What breaks off here is missed where it is waited for.
                thread::spawn(move || drop(hear(line, &sender)));
            }
        });
        let (lines, ended) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { place, news, lines, began: Vec::new(), ended })
    }

    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Returns the id of a worker at work.
    pub(crate) fn anyone(&self) -> Option<String> {
        self.lines.keys().next().cloned()
    }

    /// Takes in what is told until `is_enough`, or nothing is told for `patience`.
    pub(crate) fn hear(
        &mut self,
        patience: Duration,
        is_enough: impl Fn(&Self) -> bool,
    ) -> Result<(), Failure> {
        while !is_enough(self) {
            let news = self.news.recv_timeout(patience).map_err(|_| "workers stay away")?;
            match news {
                News::Began { id, at, line } => {
                    self.began.push(at);
                    self.lines.insert(id, line);
                }
                News::Ended { id, at } => {
                    self.lines.remove(&id);
                    self.ended.insert(id, at);
                }
            }
        }
        Ok(())
    }

    /// Tells a worker to end.
    pub(crate) fn end(&self, id: &str) -> Result<(), Failure> {
        Ok(self.lines.get(id).ok_or("it is not at work")?.shutdown(Shutdown::Write)?)
    }
}

/// Hears one worker out.
fn hear(line: UnixStream, news: &mpsc::Sender<News>) -> Result<(), Failure> {
    let mut words = BufReader::new(line.try_clone()?).lines();
    let mut next = || -> Result<(String, Duration), Failure> {
        let line = words.next().ok_or("it says nothing")??;
        let (id, at) = line.split_once(' ').ok_or("two words")?;
        Ok((id.to_owned(), Duration::from_nanos(at.parse()?)))
    };
    let (id, at) = next()?;
    news.send(News::Began { id, at, line })?;
    let (id, at) = next()?;
    Ok(news.send(News::Ended { id, at })?)
}

/// Works: the arguments are the place, and the shortest and the longest life in milliseconds; with
/// lives of no length it lives until it is told to end.
pub(crate) fn work(arguments: &[String]) -> Result<(), Failure> {
    let [place, shortest, longest] = arguments else { return Err("three arguments".into()) };
    let (shortest, longest): (u64, u64) = (shortest.parse()?, longest.parse()?);
    let id = env::var("ORCH_TASK_ID")?;
    let number: u64 = id.trim_start_matches(|c: char| !c.is_ascii_digit()).parse()?;
    let scatter = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    let mut line = UnixStream::connect(place)?;
    let begin = Instant::now();
    writeln!(line, "{id} {}", now().as_nanos())?;
    let life = shortest + scatter % (longest - shortest + 1);
    let end = (longest > 0).then(|| begin + Duration::from_millis(life));
    // So many workers do not all write at the same moment.
    let mut beat = begin + Duration::from_millis(scatter % 5_000);
    loop {
        let next = end.map_or(beat, |end| end.min(beat));
        let wait = next.saturating_duration_since(Instant::now());
        line.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        match line.read(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            _ => break,
        }
        let at = Instant::now();
        if end.is_some_and(|end| at >= end) {
            break;
        }
        if at >= beat {
            report(&id)?;
            beat += BEAT;
        }
    }
    Ok(writeln!(line, "{id} {}", now().as_nanos())?)
}

/// Gives a sign of life as any program can: a new file, renamed over the old one.
fn report(id: &str) -> Result<(), Failure> {
    let path = PathBuf::from(env::var("ORCH_STATUS_FILE")?);
    let attempt = env::var("ORCH_ATTEMPT")?;
    let next = path.with_file_name(format!(".{id}.{attempt}.next"));
    let message = format!("at it for {} ms", now().as_millis());
    fs::write(
        &next,
        format!("---\ntask: {id}\nattempt: {attempt}\nstate: working\nmessage: {message}\n---\n"),
    )?;
    Ok(fs::rename(&next, &path)?)
}
