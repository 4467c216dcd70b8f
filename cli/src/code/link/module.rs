//! A core module, read into its index spaces.

use anyhow::{Context, Result, bail};
use wasmparser::{
    Data, Element, Export, ExternalKind, FuncType, FunctionBody, Global, Import, MemoryType, Payload, Table, TypeRef,
};

/// The kinds of items that core modules share. (Exception tags are the fifth; dynamic libraries have none.)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    Function,
    Table,
    Memory,
    Global,
}

/// One value for each [`Kind`], in the order of its variants.
pub(super) type PerKind<T> = [T; 4];

impl Kind {
    pub(super) const ALL: PerKind<Self> = [Self::Function, Self::Table, Self::Memory, Self::Global];

    pub(super) fn of(kind: ExternalKind) -> Result<Self> {
        Ok(match kind {
            ExternalKind::Func => Self::Function,
            ExternalKind::Table => Self::Table,
            ExternalKind::Memory => Self::Memory,
            ExternalKind::Global => Self::Global,
            ExternalKind::Tag | ExternalKind::FuncExact => bail!("a core module shares a {kind:?}"),
        })
    }

    pub(super) fn of_import(ty: TypeRef) -> Result<Self> {
        Ok(match ty {
            TypeRef::Func(_) => Self::Function,
            TypeRef::Table(_) => Self::Table,
            TypeRef::Memory(_) => Self::Memory,
            TypeRef::Global(_) => Self::Global,
            TypeRef::Tag(_) | TypeRef::FuncExact(_) => bail!("a core module imports a {ty:?}"),
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

/// The contents of a core module. Its custom sections are dropped: they say how to link it, or are for debuggers.
#[derive(Default)]
pub(super) struct Module<'a> {
    pub(super) types: Vec<FuncType>,
    pub(super) imports: Vec<Import<'a>>,
    /// The type of each own function, as an index into `types`.
    pub(super) functions: Vec<u32>,
    pub(super) bodies: Vec<FunctionBody<'a>>,
    pub(super) tables: Vec<Table<'a>>,
    pub(super) memories: Vec<MemoryType>,
    pub(super) globals: Vec<Global<'a>>,
    pub(super) exports: Vec<Export<'a>>,
    pub(super) elements: Vec<Element<'a>>,
    pub(super) data: Vec<Data<'a>>,
    /// Whether a data count section precedes the code, as `memory.init` requires.
    pub(super) counts_data: bool,
}

impl<'a> Module<'a> {
    /// Adds the contents of one section.
    pub(super) fn read(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => {
                self.types = section.into_iter_err_on_gc_types().collect::<Result<_, _>>()?;
            }
            Payload::ImportSection(section) => self.imports = section.into_imports().collect::<Result<_, _>>()?,
            Payload::FunctionSection(section) => self.functions = section.into_iter().collect::<Result<_, _>>()?,
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::TableSection(section) => self.tables = section.into_iter().collect::<Result<_, _>>()?,
            Payload::MemorySection(section) => self.memories = section.into_iter().collect::<Result<_, _>>()?,
            Payload::GlobalSection(section) => self.globals = section.into_iter().collect::<Result<_, _>>()?,
            Payload::ExportSection(section) => self.exports = section.into_iter().collect::<Result<_, _>>()?,
            Payload::ElementSection(section) => self.elements = section.into_iter().collect::<Result<_, _>>()?,
            Payload::DataSection(section) => self.data = section.into_iter().collect::<Result<_, _>>()?,
            Payload::DataCountSection { .. } => self.counts_data = true,
            Payload::Version { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::CustomSection(_)
            | Payload::End(_) => {}
            Payload::StartSection { .. } => bail!("a core module has a start function"),
            _ => bail!("a core module has an unknown section"),
        }
        Ok(())
    }

    /// The number of own items of a kind.
    pub(super) fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Function => self.bodies.len(),
            Kind::Table => self.tables.len(),
            Kind::Memory => self.memories.len(),
            Kind::Global => self.globals.len(),
        }
    }

    /// The body of own function `index`.
    pub(super) fn body(&self, index: u32) -> Result<&FunctionBody<'a>> {
        self.bodies.get(index as usize).context("a function has no body")
    }
}
