//! Options that choose a guest and its settings.

use std::ffi::OsString;

use anyhow::Result;
use clap::Args;

use crate::guest::Guest;
use crate::guest::catalog::Catalog;
use crate::guest::settings::{self, Overrides};

/// Which guest, and how it is set.
#[derive(Debug, Args)]
pub struct GuestOptions {
    /// An algorithm's name (see 'cipher list'), or the path of a component
    pub algorithm: OsString,
    /// Set one of the algorithm's settings; counts before its variable in the environment and its default
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = settings::parse_assignment)]
    given: Vec<(String, String)>,
}

impl GuestOptions {
    /// The guest in the catalog.
    pub fn find(&self) -> Result<Guest> {
        Catalog::from_environment().find(&self.algorithm)
    }

    /// The settings given by name.
    pub fn given(&self) -> Overrides {
        self.given.iter().cloned().collect()
    }
}
