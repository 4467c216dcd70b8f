//! Cases about the declarations of a component and its manifest. No code of the guest runs.

use anyhow::{Context, Result, anyhow, ensure};

use super::report::{Case, Report};
use crate::code::artifact;
use crate::guest::{Guest, catalog};
use crate::limits::Limits;
use crate::sandbox::contract::{self, ContractReport};
use crate::sandbox::epoch::EpochTicker;

/// Runs the cases, and returns the imports and exports of the component; `None` if it cannot be called.
///
/// # Errors
///
/// When the component cannot be loaded.
pub(super) fn run<S: FnMut(Case) -> Result<()>>(
    guest: &Guest,
    ticker: &EpochTicker,
    limits: &Limits,
    report: &mut Report<S>,
) -> Result<Option<ContractReport>> {
    let declared = contract::inspect(ticker.engine(), &artifact::load(ticker.engine(), guest, limits)?.component);
    let mut satisfied = true;
    for import in &declared.imports {
        let offered = || import.grant.map(drop).context("cipher does not offer it");
        satisfied &= report.case(format!("import {}", import.name), offered)?;
    }
    for (function, problem) in &declared.functions {
        satisfied &= report.case(format!("export {function}"), || match problem {
            Some(problem) => Err(anyhow!("{problem}")),
            None => Ok(()),
        })?;
    }
    if let Some(manifest) = &guest.manifest {
        report.case("manifest has the name of its file", || {
            let name = &manifest.name;
            ensure!(
                catalog::is_named_after(&guest.component, manifest),
                "it declares name '{name}'; rename the files to match"
            );
            Ok(())
        })?;
        if manifest.random {
            report.case("import wasi:random, which `random = true` needs", || {
                ensure!(
                    declared.imports_random(),
                    "it is not imported, so results cannot be random (was it left out of the build?)"
                );
                Ok(())
            })?;
        }
    }
    Ok(satisfied.then_some(declared))
}
