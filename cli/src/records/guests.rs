//! The guests that requests name, and their instances.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Result, anyhow, bail};

use crate::audit::format::EventLines;
use crate::exit::{self, Failure, Kind};
use crate::guest::catalog::{self, Catalog};
use crate::guest::settings::Setting;
use crate::limits::Limits;
use crate::records::request::{NAME_BYTES, quoted};
use crate::sandbox::epoch::EpochTicker;
use crate::sandbox::instance::{GuestInstance, GuestPre};

/// A guest that was loaded, or why it cannot be.
type Loaded = OnceLock<Result<Arc<GuestPre>, (Option<Kind>, String)>>;

/// The guests of a run, each loaded once for all workers.
pub struct Guests {
    catalog: Catalog,
    ticker: EpochTicker,
    limits: Limits,
    /// By their names in lower case.
    loaded: Mutex<HashMap<String, Arc<Loaded>>>,
}

impl Guests {
    /// The guests of `catalog`, none of which is loaded yet.
    pub fn new(catalog: Catalog, ticker: EpochTicker, limits: Limits) -> Self {
        Self { catalog, ticker, limits, loaded: Mutex::default() }
    }

    /// The limits of each call.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the guest that `algorithm` names, in any case.
    ///
    /// # Errors
    ///
    /// When the name is a path, no guest has it, or the guest cannot be loaded.
    pub fn get(&self, algorithm: &str) -> Result<Arc<GuestPre>> {
        if algorithm.len() > NAME_BYTES {
            let problem = format!("the name of the algorithm is longer than {NAME_BYTES} bytes");
            bail!(Failure::new(Kind::UnknownAlgorithm, problem));
        }
        if catalog::is_path(algorithm.as_ref()) {
            let path = quoted(algorithm);
            let problem =
                format!("{path} is a path; a request can only name an installed algorithm (see 'cipher list')");
            bail!(Failure::new(Kind::UnknownAlgorithm, problem));
        }
        let name = algorithm.to_lowercase();
        let known = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        if let Some(Ok(guest)) = known.as_ref().and_then(|loaded| loaded.get()) {
            return Ok(guest.clone());
        }
        let guest = self.catalog.find(algorithm.as_ref())?;
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().clone();
        let load = || {
            let loaded = GuestPre::load(&guest, &self.ticker, &self.limits);
            loaded.map_err(|error| (exit::known_kind(&error), format!("{error:#}")))
        };
        loaded.get_or_init(load).clone().map_err(|(kind, error)| match kind {
            Some(kind) => Failure::new(kind, error).into(),
            None => anyhow!(error),
        })
    }
}

/// How many instances a worker keeps.
const MAX_INSTANCES: usize = 32;

/// The instances that a worker keeps for requests to come, the last used at the end.
pub struct Instances {
    kept: Vec<Kept>,
    /// How much memory they may have together, in bytes.
    max_bytes: usize,
}

struct Kept {
    guest: Arc<GuestPre>,
    settings: Vec<Setting>,
    instance: GuestInstance,
    bytes: usize,
}

impl Instances {
    /// None yet, and never more than what fits into `max_bytes`.
    pub fn new(max_bytes: usize) -> Self {
        Self { kept: Vec::new(), max_bytes }
    }

    /// Takes an instance of `guest` with `settings`, or opens one for `record`.
    ///
    /// # Errors
    ///
    /// When none can be opened.
    pub fn take(
        &mut self,
        guest: &Arc<GuestPre>,
        settings: &[Setting],
        record: u64,
        events: &mut EventLines,
    ) -> Result<GuestInstance> {
        let fits = |kept: &Kept| Arc::ptr_eq(&kept.guest, guest) && kept.settings == settings;
        match self.kept.iter().rposition(fits) {
            Some(at) => Ok(self.kept.remove(at).instance),
            None => guest.open(settings, record, events),
        }
    }

    /// Keeps an instance for later requests, and drops those that were not used for the longest time.
    pub fn keep(&mut self, guest: Arc<GuestPre>, settings: Vec<Setting>, instance: GuestInstance) {
        let bytes = instance.memory_bytes();
        self.kept.push(Kept { guest, settings, instance, bytes });
        while self.kept.len() > MAX_INSTANCES || self.kept.iter().map(|kept| kept.bytes).sum::<usize>() > self.max_bytes
        {
            self.kept.remove(0);
        }
    }
}
