//! `cipher inspect`.

use std::ffi::OsString;

use anyhow::Result;
use bytesize::ByteSize;
use clap::Args;
use serde_json::json;

use super::options::LimitOptions;
use crate::code::artifact::{self, Artifact};
use crate::code::compile::{self, FileReport};
use crate::code::engine;
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

/// Options of `cipher inspect`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Inspect {
    /// Name of an algorithm (see 'cipher list'), or path of a component
    algorithm: OsString,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitOptions,
}

impl Inspect {
    /// Loads the component, compiling it if necessary, and writes its imports and exports. None of its code runs.
    ///
    /// # Errors
    ///
    /// When it cannot be loaded, or does not satisfy the contract.
    pub(super) fn run(self) -> Result<()> {
        let guest = Catalog::from_environment().find(&self.algorithm)?;
        let engine = engine::loader()?;
        let limits = self.limits.limits()?;
        let artifact = artifact::load(&engine, &guest, &limits)?;
        let report = Report {
            file: compile::inspect(&guest, artifact.digest, &limits)?,
            contract: contract::inspect(&engine, &artifact.component),
            artifact,
            guest,
        };
        let text = match self.json {
            true => serde_json::to_string_pretty(&report.json())? + "\n",
            false => report.text(),
        };
        Output::stdout()?.write(text.as_bytes())?;
        match report.contract.problems().as_slice() {
            [] => Ok(()),
            problems => {
                let problem = format!("{} does not satisfy the contract: {}", report.guest.name, problems.join("; "));
                Err(Failure::new(Kind::Contract, problem).into())
            }
        }
    }
}

/// A report on a guest.
struct Report {
    guest: Guest,
    artifact: Artifact,
    file: FileReport,
    contract: ContractReport,
}

impl Report {
    fn text(&self) -> String {
        let Self { guest, artifact, file, contract } = self;
        let path = escape::line(&guest.component.to_string_lossy()).into_owned();
        let size = ByteSize(file.bytes);
        let version = guest.version().map(|version| format!(" {version}")).unwrap_or_default();
        let mut text = format!("{}{version}: {path}\n  {size}, sha256:{}\nimports\n", guest.name, artifact.digest);
        for import in &contract.imports {
            text += &format!("  {}: {}\n", import.name, import.grant.unwrap_or("not offered"));
        }
        text += "exports\n";
        for export in &contract.exports {
            text += &format!("  {}: {}\n", export.name, export.kind);
        }
        let granted = match self.granted() {
            granted if granted.is_empty() => "nothing".to_owned(),
            granted => granted.join(", "),
        };
        text += &format!("granted: {granted}\nstreaming: {}\n", if contract.streams { "yes" } else { "no" });
        if guest.grants().random && !contract.imports_random() {
            text += "random: declared, but wasi:random is not imported, so results cannot be random\n";
        }
        text += &match &file.linking {
            Ok(modules) => format!("dynamic libraries: {modules} core modules linked into one\n"),
            Err(reason) => format!("dynamic libraries: not linked: {}\n", escape::line(reason)),
        };
        text
    }

    /// The settings that the guest receives, and what else it is granted.
    fn granted(&self) -> Vec<String> {
        let settings = self.settings().map(|variable| escape::line(variable).into_owned());
        let grants = self.guest.grants();
        let granted = [(grants.clocks, "clocks"), (grants.random, "randomness")];
        settings.chain(granted.iter().filter(|(granted, _)| *granted).map(|(_, what)| (*what).to_owned())).collect()
    }

    fn settings(&self) -> impl Iterator<Item = &String> {
        self.guest.manifest.iter().flat_map(|manifest| manifest.settings.keys())
    }

    fn json(&self) -> serde_json::Value {
        let Self { guest, artifact, file, contract } = self;
        let imports: Vec<_> = contract.imports.iter().map(|i| json!({"name": i.name, "grant": i.grant})).collect();
        let exports: Vec<_> = contract.exports.iter().map(|e| json!({"name": e.name, "type": e.kind})).collect();
        json!({
            "name": guest.name,
            "version": guest.version(),
            "component": guest.component.to_string_lossy(),
            "bytes": file.bytes,
            "sha256": artifact.digest.to_string(),
            "imports": imports,
            "exports": exports,
            "settings": self.settings().collect::<Vec<_>>(),
            "clocks": guest.grants().clocks,
            "random": guest.grants().random,
            "imports_random": contract.imports_random(),
            "streams": contract.streams,
            "linked_modules": file.linking.as_ref().ok(),
            "problems": contract.problems(),
        })
    }
}
