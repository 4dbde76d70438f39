//! Going on where the machine is short of something: what cannot be written now is written later,
//! and nothing is started or decided before.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Coordinator, Incoming, Request, Sources};
use crate::{
    app::{error::AppError, view::run::Happened},
    domain::scheduler::event::Event,
    io::{process::cause_of, store::StoreError},
};

/// Time between two tries.
const PAUSE: Duration = Duration::from_secs(1);

impl Coordinator {
    /// Writes something that everything else depends on: where the disk is full or read-only, or
    /// files are short, it is tried again until that is over. Workers go on meanwhile, and what
    /// they do is taken in afterwards.
    ///
    /// # Errors
    /// Why it will never be written, or could not be when somebody wanted the run to end.
    pub(super) async fn persist(
        &mut self,
        sources: &mut Sources,
        mut write: impl FnMut(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), AppError> {
        let mut is_told = false;
        loop {
            let error = match write(self) {
                Ok(()) if is_told => {
                    self.tell(Happened::Released);
                    return Ok(());
                }
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if self.misplaced().is_some() {
                self.keep_place(sources).await?;
                continue;
            }
            if !error.is_passing() {
                return Err(error.into());
            }
            if !is_told {
                self.tell(Happened::Held {
                    reason: cause_of(&error),
                    help: "it goes on by itself once that is over; workers go on meanwhile"
                        .to_owned(),
                });
                self.publish();
                is_told = true;
            }
            if !self.pause(sources).await {
                return Err(error.into());
            }
        }
    }

    /// Waits for a moment; returns whether nobody wants the run to end meanwhile.
    pub(super) async fn pause(&mut self, sources: &mut Sources) -> bool {
        let deadline = Instant::now() + PAUSE;
        loop {
            let request = tokio::select! {
                request = sources.requested() => request,
                () = sleep_until(deadline) => return true,
            };
            match request {
                Request::Stop(mode) => {
                    // What follows from it cannot be recorded, but how workers are to be stopped.
                    drop(self.scheduler.step(self.clock.now(), Event::StopAsked(mode)));
                    return false;
                }
                Request::Leave => return false,
                Request::Pause | Request::Resume => self.late.push(Incoming::Request(request)),
            }
        }
    }
}
