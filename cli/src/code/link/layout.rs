//! The index spaces of the merged module.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use wasmparser::{Global, Operator, ValType};

use super::component::{Component, Definition, Library};
use super::module::{Kind, PerKind};
use super::reach::ReachableItems;

/// Where each item of the libraries is in the merged module. The functions that call outside functions come first.
pub(super) struct Layout {
    /// By kind, library and own item; `None` if it is left out.
    own: PerKind<Vec<Vec<Option<u32>>>>,
    /// By library and own global, the value of a global that never changes.
    constants: Vec<Vec<Option<i32>>>,
    outside: BTreeMap<u32, u32>,
    /// The number of items of each kind.
    pub(super) counts: PerKind<u32>,
}

impl Layout {
    pub(super) fn new(component: &Component, reached: &ReachableItems) -> Result<Self> {
        let outside: BTreeMap<_, _> = reached.outside.iter().copied().zip(0..).collect();
        let mut layout = Self { own: PerKind::default(), constants: vec![], counts: PerKind::default(), outside };
        layout.counts[Kind::Function as usize] = layout.outside.len() as u32;
        for (position, library) in component.libraries.iter().enumerate() {
            layout.add_constants(library, reached.written.get(position).context("a library is out of range")?)?;
            for kind in Kind::ALL {
                layout.add(kind, position, library, reached);
            }
        }
        Ok(layout)
    }

    /// The index of `definition` in the merged module; `None` if it is left out.
    pub(super) fn index(&self, kind: Kind, definition: Definition) -> Option<u32> {
        match definition {
            Definition::Own { library, index } => *self.own[kind as usize].get(library)?.get(index as usize)?,
            Definition::Outside(position) => self.outside.get(&position).copied(),
        }
    }

    /// The value of `global`, if it never changes. Libraries import addresses as globals, which nothing sets once
    /// componentize-py has taken its snapshot of the initialized component.
    pub(super) fn constant(&self, global: Definition) -> Option<i32> {
        let Definition::Own { library, index } = global else { return None };
        *self.constants.get(library)?.get(index as usize)?
    }

    fn add(&mut self, kind: Kind, position: usize, library: &Library, reached: &ReachableItems) {
        let count = &mut self.counts[kind as usize];
        let kept = |index: usize| match kind {
            Kind::Function => reached.functions.get(position).and_then(|flags| flags.get(index)) == Some(&true),
            Kind::Global => self.constants.get(position).and_then(|values| values.get(index)) == Some(&None),
            Kind::Table | Kind::Memory => true,
        };
        let indices = (0..library.module.count(kind)).map(|index| {
            kept(index).then(|| {
                *count += 1;
                *count - 1
            })
        });
        self.own[kind as usize].push(indices.collect());
    }

    /// Evaluates the globals of `library`. They refer only to globals before them.
    fn add_constants(&mut self, library: &Library, written: &[bool]) -> Result<()> {
        self.constants.push(vec![]);
        for (global, &written) in library.module.globals.iter().zip(written) {
            let value = if written { None } else { self.evaluate(library, global)? };
            self.constants.last_mut().context("a library is out of range")?.push(value);
        }
        Ok(())
    }

    fn evaluate(&self, library: &Library, global: &Global) -> Result<Option<i32>> {
        if global.ty.content_type != ValType::I32 {
            return Ok(None);
        }
        let mut values = vec![];
        for operator in global.init_expr.get_operators_reader() {
            let value = match operator? {
                Operator::I32Const { value } => Some(value),
                Operator::GlobalGet { global_index } => self.constant(library.item(Kind::Global, global_index)?),
                Operator::I32Add => {
                    values.pop().zip(values.pop()).map(|(right, left): (i32, i32)| left.wrapping_add(right))
                }
                Operator::End => break,
                _ => None,
            };
            let Some(value) = value else { return Ok(None) };
            values.push(value);
        }
        Ok(values.pop())
    }
}
