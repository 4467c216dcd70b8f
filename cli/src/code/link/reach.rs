//! Finds the functions that can be called, and the globals that can change.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use wasmparser::{ElementItems, Operator, OperatorsReader};

use super::component::{Component, Definition, Library};
use super::module::Kind;

/// The items reachable from the exports of the component and the elements of tables.
pub(super) struct ReachableItems {
    /// By library and own function.
    pub(super) functions: Vec<Vec<bool>>,
    /// By library and own global, whether a function that is reached sets it.
    pub(super) written: Vec<Vec<bool>>,
    /// The functions that the component makes.
    pub(super) outside: BTreeSet<u32>,
}

/// Follows the calls of the libraries. Everything in a table counts as called: memory holds indices of functions, too,
/// and they cannot be distinguished from other numbers.
pub(super) fn reach(component: &Component) -> Result<ReachableItems> {
    let flags = |kind| component.libraries.iter().map(|library| vec![false; library.module.count(kind)]).collect();
    let mut reached =
        ReachableItems { functions: flags(Kind::Function), written: flags(Kind::Global), outside: BTreeSet::new() };
    let mut waiting = component.used[Kind::Function as usize].clone();
    for library in &component.libraries {
        roots(library, &mut waiting)?;
    }
    while let Some(function) = waiting.pop() {
        let (library, index) = match function {
            Definition::Own { library, index } => (library, index),
            Definition::Outside(position) => {
                reached.outside.insert(position);
                if component.denied.contains(position) {
                    reached.outside.insert(component.denied.stand_in);
                }
                continue;
            }
        };
        let seen = reached.functions.get_mut(library).and_then(|flags| flags.get_mut(index as usize));
        if std::mem::replace(seen.context("a function is out of range")?, true) {
            continue;
        }
        let library = component.libraries.get(library).context("a library is out of range")?;
        let globals = follow(library, library.module.body(index)?.get_operators_reader()?, &mut waiting)?;
        for global in globals {
            if let Definition::Own { library, index } = global
                && let Some(written) = reached.written.get_mut(library).and_then(|flags| flags.get_mut(index as usize))
            {
                *written = true;
            }
        }
    }
    Ok(reached)
}

/// Adds the functions in the elements and globals of `library`.
fn roots(library: &Library, waiting: &mut Vec<Definition>) -> Result<()> {
    for element in &library.module.elements {
        match &element.items {
            ElementItems::Functions(functions) => {
                for function in functions.clone() {
                    waiting.push(library.item(Kind::Function, function?)?);
                }
            }
            ElementItems::Expressions(_, expressions) => {
                for expression in expressions.clone() {
                    follow(library, expression?.get_operators_reader(), waiting)?;
                }
            }
        }
    }
    for global in &library.module.globals {
        follow(library, global.init_expr.get_operators_reader(), waiting)?;
    }
    Ok(())
}

/// Adds the functions that `code` refers to, and returns the globals that it sets.
fn follow(library: &Library, code: OperatorsReader, waiting: &mut Vec<Definition>) -> Result<Vec<Definition>> {
    let mut written = vec![];
    for operator in code {
        match operator? {
            Operator::Call { function_index }
            | Operator::ReturnCall { function_index }
            | Operator::RefFunc { function_index } => {
                waiting.push(library.item(Kind::Function, function_index)?);
            }
            Operator::GlobalSet { global_index } => written.push(library.item(Kind::Global, global_index)?),
            _ => {}
        }
    }
    Ok(written)
}
