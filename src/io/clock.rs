//! The only clock of the program.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::model::time::{LocalTime, Now, Tick, Timestamp};

/// Reads both clocks; the monotonic one counts from its start.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// Starts the monotonic clock at zero.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Returns the present.
    pub fn now(&self) -> Now {
        Now { tick: Tick(self.started.elapsed()), wall: wall() }
    }
}

/// Returns the present as the clocks of this place show it.
pub fn local() -> LocalTime {
    let now = wall();
    let point = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    let offset = jiff::tz::TimeZone::system().to_offset(point);
    LocalTime { now, offset_seconds: offset.seconds() }
}

/// Returns the time since 1970, as file systems write it.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Returns the present on the wall clock; a clock before 1970 gives a negative number.
fn wall() -> Timestamp {
    let ms = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => Timestamp(ms(since)),
        Err(before) => Timestamp(-ms(before.duration())),
    }
}
