//! Imports and exports that are left out, and what answers for them.

use crate::component::{Component, Source, Space};
use crate::module::Kind;
use anyhow::{Result, ensure};
use wasm_encoder::{Function, MemArg, MemArgTarget};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentDefinedType, ComponentExternalKind, ComponentFuncType, ComponentImport,
    ComponentOuterAliasKind, ComponentType, ComponentTypeRef, ComponentValType, InstanceTypeDeclaration,
};

/// What comes of a call of a function that is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Trap,
    EmptyList,
}

impl Answer {
    /// The body of a function that is left out. By the canonical ABI, a list is written where the last parameter points,
    /// here the only one: where its elements are, and how many.
    pub fn body(self) -> Function {
        // No null pointer even where nothing is, and aligned for whatever: some languages count on that.
        const NOWHERE: i64 = 8;
        let two_words = MemArg { offset: 0, align: 2, target: MemArgTarget::Memory(0), ordering: None };
        let mut body = Function::new([]);
        match self {
            Self::Trap => body.instructions().unreachable().end(),
            Self::EmptyList => body.instructions().local_get(0).i64_const(NOWHERE).i64_store(two_words).end(),
        };
        body
    }
}

impl Component<'_> {
    /// Refuses a name that is neither an import nor an export: it may have been one before.
    pub fn check_left_out(&self) -> Result<()> {
        for without in self.without {
            ensure!(self.names().any(|name| matches(without, name)), "it has nothing named {without} to leave out");
        }
        Ok(())
    }

    /// Whether the import or export `name` is left out.
    pub fn is_left_out(&self, name: &str) -> bool {
        self.without.iter().any(|without| matches(without, name))
    }

    /// What a call of core function `index` is answered with, if it belongs to an import that is left out.
    pub fn left_out(&self, index: u32) -> Option<Answer> {
        let (space, item) = match self.source(Space::Core(Kind::Function), index) {
            Source::Canonical(CanonicalFunction::Lower { func_index, .. }) => (Space::Function, *func_index),
            Source::Canonical(CanonicalFunction::ResourceDrop { resource }) => (Space::Type, *resource),
            _ => return None,
        };
        let Source::Alias(ComponentAlias::InstanceExport { instance_index, name, .. }) = self.source(space, item)
        else {
            return None;
        };
        let Source::Import(import) = self.source(Space::Instance, *instance_index) else { return None };
        self.is_left_out(import.name.name).then(|| self.answer(import, name))
    }

    /// What `function` of the interface `import` can say without having anything: which of them there are, none.
    fn answer(&self, import: &ComponentImport, function: &str) -> Answer {
        let ComponentTypeRef::Instance(ty) = import.ty else { return Answer::Trap };
        let Source::Type(ComponentType::Instance(declarations)) = self.source(Space::Type, ty) else {
            return Answer::Trap;
        };
        let mut types = vec![];
        let mut called = None;
        for declaration in declarations {
            match declaration {
                InstanceTypeDeclaration::Type(ty) => types.push(Some(ty)),
                InstanceTypeDeclaration::Alias(
                    ComponentAlias::Outer { kind: ComponentOuterAliasKind::Type, .. }
                    | ComponentAlias::InstanceExport { kind: ComponentExternalKind::Type, .. },
                )
                | InstanceTypeDeclaration::Export { ty: ComponentTypeRef::Type(_), .. } => types.push(None),
                InstanceTypeDeclaration::Export { name, ty: ComponentTypeRef::Func(ty) } if name.name == function => {
                    called = types[*ty as usize];
                }
                _ => (),
            }
        }
        let Some(ComponentType::Func(ComponentFuncType {
            params, result: Some(ComponentValType::Type(result)), ..
        })) = called
        else {
            return Answer::Trap;
        };
        match types[*result as usize] {
            Some(ComponentType::Defined(ComponentDefinedType::List(_))) if params.is_empty() => Answer::EmptyList,
            _ => Answer::Trap,
        }
    }
}

/// Whether `without` is `name`, or the package of it, or either but for the version.
fn matches(without: &str, name: &str) -> bool {
    name.strip_prefix(without).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '@']))
}
