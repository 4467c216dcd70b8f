//! A core module, read into its index spaces.

use anyhow::{Result, bail};
use std::collections::HashMap;
use wasmparser::{Data, Element, ExternalKind, FuncType, FunctionBody, Global, Import, MemoryType, Parser, Payload};
use wasmparser::{Table, TypeRef};

/// The name of the table of wit-component's shim.
const SHIM_TABLE: &str = "$imports";

/// The kinds of things that core modules share. (Exception tags are the fifth; no library here has any.)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    Function,
    Table,
    Memory,
    Global,
}

impl Kind {
    pub fn of(kind: ExternalKind) -> Result<Self> {
        Ok(match kind {
            ExternalKind::Func | ExternalKind::FuncExact => Self::Function,
            ExternalKind::Table => Self::Table,
            ExternalKind::Memory => Self::Memory,
            ExternalKind::Global => Self::Global,
            ExternalKind::Tag => bail!("exception tags are not supported"),
        })
    }
}

impl From<Kind> for wasm_encoder::ExportKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Function => Self::Func,
            Kind::Table => Self::Table,
            Kind::Memory => Self::Memory,
            Kind::Global => Self::Global,
        }
    }
}

/// What is imported comes first in an index space; `imported` says how many that are, for each [`Kind`].
#[derive(Default)]
pub struct Module<'a> {
    pub types: Vec<FuncType>,
    pub imports: Vec<(Kind, Import<'a>)>,
    pub imported: [u32; 4],
    pub function_types: Vec<u32>,
    pub bodies: Vec<FunctionBody<'a>>,
    pub tables: Vec<Table<'a>>,
    pub memories: Vec<MemoryType>,
    pub globals: Vec<Global<'a>>,
    pub exports: HashMap<&'a str, (Kind, u32)>,
    pub elements: Vec<Element<'a>>,
    pub data: Vec<Data<'a>>,
}

impl<'a> Module<'a> {
    pub fn read(binary: &'a [u8]) -> Result<Self> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(binary) {
            match payload? {
                Payload::TypeSection(section) => {
                    module.types = section.into_iter_err_on_gc_types().collect::<Result<_, _>>()?;
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let kind = match import.ty {
                            TypeRef::Func(_) | TypeRef::FuncExact(_) => Kind::Function,
                            TypeRef::Table(_) => Kind::Table,
                            TypeRef::Memory(_) => Kind::Memory,
                            TypeRef::Global(_) => Kind::Global,
                            TypeRef::Tag(_) => bail!("exception tags are not supported"),
                        };
                        module.imported[kind as usize] += 1;
                        module.imports.push((kind, import));
                    }
                }
                Payload::FunctionSection(section) => {
                    module.function_types = section.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::CodeSectionEntry(body) => module.bodies.push(body),
                Payload::TableSection(section) => module.tables = section.into_iter().collect::<Result<_, _>>()?,
                Payload::MemorySection(section) => module.memories = section.into_iter().collect::<Result<_, _>>()?,
                Payload::GlobalSection(section) => module.globals = section.into_iter().collect::<Result<_, _>>()?,
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        module.exports.insert(export.name, (Kind::of(export.kind)?, export.index));
                    }
                }
                Payload::ElementSection(section) => module.elements = section.into_iter().collect::<Result<_, _>>()?,
                Payload::DataSection(section) => module.data = section.into_iter().collect::<Result<_, _>>()?,
                Payload::StartSection { .. } => bail!("a library with a start function is not supported"),
                Payload::TagSection(_) => bail!("exception tags are not supported"),
                _ => (), // headers, and custom sections: how to link at run time, names, producers
            }
        }
        Ok(module)
    }

    /// The type of function `index`, which is not an import.
    pub fn function_type(&self, index: u32) -> &FuncType {
        let own = index - self.imported[Kind::Function as usize];
        &self.types[self.function_types[own as usize] as usize]
    }

    /// The body of function `index`, which is not an import.
    pub fn body(&self, index: u32) -> &FunctionBody<'a> {
        &self.bodies[(index - self.imported[Kind::Function as usize]) as usize]
    }

    /// Global `index`, which is not an import.
    pub fn global(&self, index: u32) -> &Global<'a> {
        &self.globals[(index - self.imported[Kind::Global as usize]) as usize]
    }

    /// How many of `kind` are defined here.
    pub fn defined(&self, kind: Kind) -> usize {
        match kind {
            Kind::Function => self.bodies.len(),
            Kind::Table => self.tables.len(),
            Kind::Memory => self.memories.len(),
            Kind::Global => self.globals.len(),
        }
    }

    /// Whether this is the first of the two modules through which wit-component passes the functions that the component
    /// imports: they need the memory, and the libraries need them. So the libraries get functions that call what is in
    /// a table, which is filled when all is there.
    pub fn is_shim(&self) -> bool {
        self.exports.contains_key(SHIM_TABLE)
    }

    /// Whether this is the second one, which fills the table.
    pub fn is_fixup(&self) -> bool {
        self.imports.iter().any(|(_, import)| import.name == SHIM_TABLE)
    }
}
