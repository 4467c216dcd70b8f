//! The audit events of a store's current message.

use std::cell::RefCell;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, PoisonError};

use crate::audit::event::Events;

/// Events that only the store's thread uses, or that the ticker may report.
///
/// Locks would take 3% of the time of a short record.
pub(super) enum CallEvents {
    Own(RefCell<Events>),
    Shared(Arc<SharedEvents>),
}

/// The events of the store whose message is the only one of the process.
#[derive(Default)]
pub(super) struct SharedEvents {
    events: Mutex<Events>,
    is_open: AtomicBool,
}

impl CallEvents {
    /// Events that are `shared`, or none yet.
    pub(super) fn new(shared: Option<Arc<SharedEvents>>) -> Self {
        shared.map_or_else(|| Self::Own(RefCell::default()), Self::Shared)
    }

    /// Runs `act` on the events.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Events) -> T) -> T {
        match self {
            Self::Own(events) => act(&mut events.borrow_mut()),
            Self::Shared(shared) => shared.with(act),
        }
    }

    /// Records that the guest is instantiated.
    pub(super) fn open(&self) {
        if let Self::Shared(shared) = self {
            shared.is_open.store(true, SeqCst);
        }
    }
}

impl SharedEvents {
    /// Runs `act` on the events.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Events) -> T) -> T {
        act(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the guest is instantiated.
    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(SeqCst)
    }
}
