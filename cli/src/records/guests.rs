//! The guests that requests name, and their instances.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Result, bail};

use crate::audit::lines::EventLines;
use crate::code::engine;
use crate::exit::{self, Failure, Kind};
use crate::guest::catalog::{self, Catalog};
use crate::guest::settings::{self, Setting};
use crate::limits::Limits;
use crate::records::answers;
use crate::records::request::{NAME_BYTES, quoted};
use crate::sandbox::epoch::EpochTicker;
use crate::sandbox::instance::{GuestInstance, GuestPre};

/// A loaded guest, or why it cannot be loaded.
type LoadResult = OnceLock<Result<Arc<GuestPre>, (Kind, String)>>;

/// The guests of a run, each loaded once for all workers.
pub(crate) struct Guests {
    catalog: Catalog,
    ticker: EpochTicker,
    limits: Limits,
    /// By their names in lower case.
    loaded: Mutex<HashMap<String, Arc<LoadResult>>>,
    workers: usize,
    /// For short-lived instances, once a worker needs many; `None` if there is not enough address space.
    pool: OnceLock<Option<EpochTicker>>,
    /// The guests in the pool, by their names.
    pooled: Mutex<HashMap<String, Arc<GuestPre>>>,
}

impl Guests {
    /// The guests of `catalog`, for the given number of workers. None is loaded yet.
    pub(crate) fn new(catalog: Catalog, ticker: EpochTicker, limits: Limits, workers: usize) -> Self {
        let (loaded, pool, pooled) = (Mutex::default(), OnceLock::new(), Mutex::default());
        Self { catalog, ticker, limits, loaded, workers, pool, pooled }
    }

    /// The limits of each call.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the guest that `algorithm` names, in any case.
    ///
    /// # Errors
    ///
    /// When the name is a path, no guest has it, or the guest cannot be loaded.
    pub(crate) fn get(&self, algorithm: &str) -> Result<Arc<GuestPre>> {
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
        let loaded =
            self.loaded.lock().unwrap_or_else(PoisonError::into_inner).entry(name.clone()).or_default().clone();
        let load = || {
            let loaded = GuestPre::load(&guest, &self.ticker, &self.limits);
            loaded.map_err(|error| (exit::kind(&error), format!("{error:#}")))
        };
        let result = loaded.get_or_init(load).clone();
        if let Err((Kind::System, _)) = result {
            // Another worker, or the next attempt, may get what the system refused.
            self.loaded.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
        }
        result.map_err(|(kind, error)| Failure::new(kind, error).into())
    }

    /// Returns `guest` with its instances in a pool, which makes opening them faster; unchanged if there is no pool.
    fn pooled(&self, guest: &Arc<GuestPre>) -> Arc<GuestPre> {
        let make = || engine::pool(self.workers * (MAX_INSTANCES + 1)).ok().map(EpochTicker::new);
        let Some(ticker) = self.pool.get_or_init(make) else { return guest.clone() };
        let mut pooled = self.pooled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guest) = pooled.get(&guest.guest().name) {
            return guest.clone();
        }
        let name = &guest.guest().name;
        let loaded = GuestPre::load(guest.guest(), ticker, &self.limits).unwrap_or_else(|error| {
            log::info!("instances of {name} are not pooled: {error:#}");
            guest.clone()
        });
        pooled.insert(name.clone(), loaded.clone());
        loaded
    }
}

/// The maximum number of instances that a worker keeps.
const MAX_INSTANCES: usize = 16;
/// If this many instances have served only one request, one of them is dropped first. The number is as small as two
/// alternating requests allow: with 10,000 keywords, 2 take 0.90 of the time of 16, and 4 take 0.94.
const MAX_USED_ONCE: usize = 2;
/// The number of instances that a worker opens before it uses a pool. A pool takes 2.5 ms to set up.
const OPENED_BEFORE_POOL: u32 = 32;

/// The instances that a worker keeps for later requests, the last used at the end.
pub(crate) struct Instances {
    idle: Vec<IdleInstance>,
    /// The number of instances opened.
    opened: u32,
    /// The maximum memory of all instances together, in bytes.
    max_bytes: usize,
}

struct IdleInstance {
    guest: Arc<GuestPre>,
    settings: Vec<Setting>,
    instance: GuestInstance,
    bytes: usize,
}

impl Instances {
    /// No instances yet, and never more than fit into `max_bytes`.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { idle: Vec::new(), opened: 0, max_bytes }
    }

    /// Takes an instance of `guest` with `settings`, or opens one for `record`.
    ///
    /// # Errors
    ///
    /// When none can be opened.
    pub(crate) fn take(
        &mut self,
        guests: &Guests,
        guest: &Arc<GuestPre>,
        settings: &[Setting],
        record: u64,
        events: &mut EventLines,
    ) -> Result<GuestInstance> {
        let fits = |idle: &IdleInstance| Arc::ptr_eq(&idle.guest, guest) && idle.settings == settings;
        if let Some(at) = self.idle.iter().rposition(fits) {
            return Ok(self.idle.remove(at).instance);
        }
        if self.idle.len() >= MAX_INSTANCES {
            self.evict();
        }
        settings::log_sources(guest.guest(), settings);
        self.opened = self.opened.saturating_add(1);
        let pooled = (self.opened > OPENED_BEFORE_POOL).then(|| guests.pooled(guest));
        let guest = pooled.as_ref().unwrap_or(guest);
        let opened = guest.open(settings, record, events);
        match &opened {
            Err(error) if answers::is_unavailable(error) && !self.idle.is_empty() => {
                log::info!("dropping {} idle instances: {error:#}", self.idle.len());
                self.idle.clear();
                events.clear();
                guest.open(settings, record, events)
            }
            _ => opened,
        }
    }

    /// Keeps an instance for later requests, and drops others if there is too little memory for all.
    pub(crate) fn keep(&mut self, guest: Arc<GuestPre>, settings: Vec<Setting>, instance: GuestInstance) {
        let bytes = instance.memory_bytes();
        self.idle.push(IdleInstance { guest, settings, instance, bytes });
        while self.idle.iter().map(|idle| idle.bytes).sum::<usize>() > self.max_bytes {
            self.evict();
        }
    }

    /// Drops the least recently used instance, or one of those that have served only one request if there are several.
    ///
    /// When most requests have settings of their own, their instances take turns in a few slots of the pool, whose memory
    /// stays in the processor's cache, and instances for settings that come again are kept.
    fn evict(&mut self) {
        let once = self.idle.iter().enumerate().rev().filter(|(_, idle)| idle.instance.served() == 1);
        let at = once.map(|(at, _)| at).nth(MAX_USED_ONCE - 1).unwrap_or(0);
        self.idle.remove(at);
    }
}
