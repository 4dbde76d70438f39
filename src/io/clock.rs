//! The only clock of the program.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::domain::model::time::{LocalTime, Now, Tick, Timestamp};

/// Reads both clocks. The monotonic one counts from the start of the machine, without the time
/// that it was suspended, so that all processes of one machine mean the same by it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock(());

impl Clock {
    /// Returns the clocks of this machine.
    pub fn new() -> Self {
        Self(())
    }

    /// Returns the present.
    pub fn now(self) -> Now {
        Now { tick: tick(), wall: wall() }
    }
}

fn tick() -> Tick {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = Duration::from_secs(u64::try_from(now.tv_sec).unwrap_or(0));
    Tick(seconds + Duration::from_nanos(u64::try_from(now.tv_nsec).unwrap_or(0)))
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
