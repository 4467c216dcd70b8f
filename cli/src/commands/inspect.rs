//! `cipher inspect`.

use std::ffi::OsString;
use std::fs;

use anyhow::{Context, Result};
use bytesize::ByteSize;
use clap::Args;
use serde_json::json;

use super::options::LimitOptions;
use crate::code::artifact;
use crate::code::engine;
use crate::code::link::{self, Linked};
use crate::exit::{Failure, Kind};
use crate::guest::Guest;
use crate::guest::catalog::Catalog;
use crate::sandbox::contract::{self, ContractReport};
use crate::terminal::escape;
use crate::terminal::output::Output;

const EXAMPLES: &str = "\
Examples:
  cipher inspect Caesar
  cipher inspect ./their.wasm --json";

/// What a component needs, offers and will be given.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Inspect {
    /// An algorithm's name (see 'cipher list'), or the path of a component
    algorithm: OsString,
    /// Write one JSON object instead of text, for scripts
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitOptions,
}

impl Inspect {
    /// Compiles the component if it was not compiled before, and looks at its type. None of it runs.
    ///
    /// # Errors
    ///
    /// When it cannot be loaded, or does not fit the contract.
    pub fn run(self) -> Result<()> {
        let guest = Catalog::from_environment().find(&self.algorithm)?;
        let engine = engine::loader()?;
        let artifact = artifact::load(&engine, &guest, &self.limits.limits()?)?;
        let bytes = fs::read(&guest.component)
            .with_context(|| Failure::new(Kind::Component, artifact::cannot_read(&guest.component)))?;
        let linked = link::link(&bytes).map(|Linked { modules, .. }| modules).map_err(|reason| reason.to_string());
        let fit = contract::fit(&engine, &artifact.component);
        let text = match self.json {
            true => {
                serde_json::to_string_pretty(&json(&guest, &artifact.digest.to_string(), bytes.len(), &linked, &fit))?
                    + "\n"
            }
            false => text(&guest, &artifact.digest.to_string(), bytes.len(), &linked, &fit),
        };
        Output::stdout()?.write(text.as_bytes())?;
        match fit.problems().as_slice() {
            [] => Ok(()),
            problems => {
                let message = format!("{} does not fit the contract: {}", guest.name, problems.join("; "));
                Err(Failure::new(Kind::Contract, message).into())
            }
        }
    }
}

fn text(guest: &Guest, digest: &str, bytes: usize, linked: &Result<usize, String>, fit: &ContractReport) -> String {
    let path = escape::line(&guest.component.to_string_lossy()).into_owned();
    let mut text = format!("{}: {path}\n  {}, sha256:{digest}\nimports\n", guest.name, ByteSize(bytes as u64));
    for import in &fit.imports {
        text += &format!("  {}: {}\n", import.name, import.grant.unwrap_or("not offered"));
    }
    text += "exports\n";
    for export in &fit.exports {
        text += &format!("  {}: {}\n", export.name, export.kind);
    }
    let settings = guest.manifest.iter().flat_map(|manifest| manifest.settings.keys());
    let settings: Vec<String> = settings.map(|variable| escape::line(variable).into_owned()).collect();
    let granted = [(guest.grants().clocks, "clocks"), (guest.grants().random, "randomness")];
    let granted = granted.iter().filter(|(granted, _)| *granted).map(|(_, what)| (*what).to_owned());
    let given: Vec<String> = settings.into_iter().chain(granted).collect();
    text += &format!("is given\n  {}\n", if given.is_empty() { "nothing".to_owned() } else { given.join(", ") });
    text += &format!("takes long messages\n  {}\n", if fit.streams { "in pieces" } else { "whole" });
    text += &match linked {
        Ok(modules) => format!("dynamic libraries\n  {modules} core modules are linked into one\n"),
        Err(reason) => format!("dynamic libraries\n  not linked: {}\n", escape::line(reason)),
    };
    text
}

fn json(
    guest: &Guest,
    digest: &str,
    bytes: usize,
    linked: &Result<usize, String>,
    fit: &ContractReport,
) -> serde_json::Value {
    let imports: Vec<_> = fit.imports.iter().map(|i| json!({"name": i.name, "grant": i.grant})).collect();
    let exports: Vec<_> = fit.exports.iter().map(|e| json!({"name": e.name, "type": e.kind})).collect();
    json!({
        "name": guest.name,
        "component": guest.component.to_string_lossy(),
        "bytes": bytes,
        "sha256": digest,
        "imports": imports,
        "exports": exports,
        "settings": guest.manifest.iter().flat_map(|manifest| manifest.settings.keys()).collect::<Vec<_>>(),
        "clocks": guest.grants().clocks,
        "random": guest.grants().random,
        "streams": fit.streams,
        "linked_modules": linked.as_ref().ok(),
        "problems": fit.problems(),
    })
}
