//! Checks whether the type of a component satisfies the contract, without running it.

use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};
use wasmtime::component::{Component, ComponentExportIndex, ComponentType, Lower};

use crate::sandbox::{host, message};
use crate::terminal::escape;

/// The operation of a guest on a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum Operation {
    /// `encr`
    #[default]
    #[component(name = "encr")]
    Encrypt,
    /// `decr`
    #[component(name = "decr")]
    Decrypt,
}

impl Operation {
    /// The name of the operation in requests and audit events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
        }
    }

    /// The operation that a request names.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "encrypt" => Some(Self::Encrypt),
            "decrypt" => Some(Self::Decrypt),
            _ => None,
        }
    }
}

/// A component's imports and exports, and whether they satisfy the contract.
#[derive(Debug)]
pub struct ContractReport {
    /// The imports, each with what the host grants for it.
    pub imports: Vec<Import>,
    /// The exports, each with its type.
    pub exports: Vec<Export>,
    /// The functions of the contract, each with its defect, if any.
    pub functions: Vec<(&'static str, Option<String>)>,
    /// Whether it streams: takes a message in chunks.
    pub streams: bool,
}

impl ContractReport {
    /// Why it cannot be called; empty if it can be.
    pub fn problems(&self) -> Vec<String> {
        let missing = self.imports.iter().filter(|import| import.grant.is_none());
        let missing = missing.map(|import| format!("it imports '{}', which cipher does not offer", import.name));
        missing.chain(self.functions.iter().filter_map(|(_, problem)| problem.clone())).collect()
    }

    /// Whether it can draw random bytes.
    pub fn imports_random(&self) -> bool {
        self.imports.iter().any(|import| import.name.starts_with("wasi:random/random@"))
    }
}

/// An import of a component.
#[derive(Debug)]
pub struct Import {
    /// The interface, with its version.
    pub name: String,
    /// What the host grants for it; `None` if it does not offer it.
    pub grant: Option<&'static str>,
}

/// An export of a component.
#[derive(Debug)]
pub struct Export {
    /// The function or interface.
    pub name: String,
    /// The type, such as `func(input: string) -> string`.
    pub kind: String,
}

/// The functions of the contract; each takes one string and returns one.
const FUNCTIONS: [&str; 2] = ["encr", "decr"];

/// Reports whether the type of `component` satisfies the contract.
pub fn inspect(engine: &Engine, component: &Component) -> ContractReport {
    let ty = component.component_type();
    let imports: Vec<Import> = ty
        .imports(engine)
        .map(|(name, item)| {
            let grant = matches!(item.ty, ComponentItem::ComponentInstance(_)).then(|| host::grant(name)).flatten();
            Import { name: shown(name), grant }
        })
        .collect();
    let exports = ty.exports(engine).map(|(name, item)| Export { name: shown(name), kind: kind(&item.ty) }).collect();
    let functions = FUNCTIONS.map(|function| {
        let problem = match ty.get_export(engine, function).map(|item| item.ty) {
            Some(ComponentItem::ComponentFunc(func)) if takes_and_returns_a_string(&func) => None,
            Some(item) => Some(format!(
                "its export '{function}' is {}, where the contract has func(input: string) -> string",
                kind(&item)
            )),
            None => Some(format!("it has no export '{function}'")),
        };
        (function, problem)
    });
    let streams = ty.get_export(engine, message::STREAMING).is_some();
    ContractReport { imports, exports, functions: functions.into(), streams }
}

/// Finds the function `name` of the contract in `component`; `None` if it has none, or one of another type.
pub(crate) fn function(component: &Component, name: &str) -> Option<ComponentExportIndex> {
    match component.get_export(None, name)? {
        (ComponentItem::ComponentFunc(func), index) if takes_and_returns_a_string(&func) => Some(index),
        _ => None,
    }
}

fn takes_and_returns_a_string(func: &ComponentFunc) -> bool {
    let is_string = |ty: Type| matches!(ty, Type::String);
    let (mut params, mut results) = (func.params(), func.results());
    !func.async_()
        && params.len() == 1
        && results.len() == 1
        && params.all(|(_, ty)| is_string(ty))
        && results.all(is_string)
}

fn kind(item: &ComponentItem) -> String {
    match item {
        ComponentItem::ComponentFunc(func) => {
            let params: Vec<String> = func.params().map(|(name, ty)| format!("{name}: {}", type_name(&ty))).collect();
            let result = func.results().next().map(|ty| format!(" -> {}", type_name(&ty))).unwrap_or_default();
            let func = format!("{}func({}){result}", if func.async_() { "async " } else { "" }, params.join(", "));
            // A type that shares its parts can be very long when it is written out.
            escape::start(&func).into_owned()
        }
        ComponentItem::ComponentInstance(_) => "an interface".to_owned(),
        ComponentItem::CoreFunc(_) => "a core function".to_owned(),
        ComponentItem::Module(_) => "a core module".to_owned(),
        ComponentItem::Component(_) => "a component".to_owned(),
        ComponentItem::Type(_) => "a type".to_owned(),
        ComponentItem::Resource(_) => "a resource".to_owned(),
    }
}

/// The name of a type in WIT, without the contents of types that have names of their own.
fn type_name(ty: &Type) -> String {
    let name = match ty {
        Type::Bool => "bool",
        Type::S8 => "s8",
        Type::U8 => "u8",
        Type::S16 => "s16",
        Type::U16 => "u16",
        Type::S32 => "s32",
        Type::U32 => "u32",
        Type::S64 => "s64",
        Type::U64 => "u64",
        Type::Float32 => "f32",
        Type::Float64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::List(list) => return format!("list<{}>", type_name(&list.ty())),
        Type::Option(option) => return format!("option<{}>", type_name(&option.ty())),
        Type::Result(result) => {
            let part = |ty: Option<Type>| ty.map_or_else(|| "_".to_owned(), |ty| type_name(&ty));
            return format!("result<{}, {}>", part(result.ok()), part(result.err()));
        }
        Type::Tuple(tuple) => {
            let parts: Vec<String> = tuple.types().map(|ty| type_name(&ty)).collect();
            return format!("tuple<{}>", parts.join(", "));
        }
        Type::Map(_) => "map",
        Type::Record(_) => "record",
        Type::Variant(_) => "variant",
        Type::Enum(_) => "enum",
        Type::Flags(_) => "flags",
        Type::Own(_) => "own",
        Type::Borrow(_) => "borrow",
        Type::Future(_) => "future",
        Type::Stream(_) => "stream",
        Type::ErrorContext => "error-context",
        Type::FixedLengthList(_) => "list",
    };
    name.to_owned()
}

fn shown(name: &str) -> String {
    escape::line(name).into_owned()
}
