//! The two worlds of a guest: the contract, which every host implements, and the one for messages in chunks.

use std::path::Path;

use cipher::{Catalog, EpochTicker, EventLines, Guest, GuestPre, Limits, Operation, artifact, engine, settings};
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use self::base::EncoderDecoderService;
use self::base::saritnike::cipher::audit_log;
use crate::harness::Cipher;
use crate::reference::{caesar, vigenere};

/// Characters of every length in UTF-8, a combining mark, and characters that are not letters.
const TEXT: &str = "aZ é日🎉e\u{301}\r\n\0Müller, Yz";

/// A guest of this repository. A test is built next to the program, so it finds the same guests.
fn guest(name: &str) -> Guest {
    let guest = Catalog::from_environment().find(name.as_ref()).expect("it was built");
    assert!(Path::new(&guest.component).ends_with(format!("target/guests/{name}.wasm")));
    guest
}

fn secrets() -> [(&'static str, String); 2] {
    [("Caesar", caesar(TEXT, "3")), ("Vigenere", vigenere(TEXT, "WASM"))]
}

#[test]
fn chunks_give_the_whole_result() {
    let ticker = EpochTicker::new(engine::loader().unwrap());
    let cuts: Vec<usize> = (0..=TEXT.len()).filter(|&at| TEXT.is_char_boundary(at)).collect();
    for (name, secret) in secrets() {
        let guest = guest(name);
        let loaded = GuestPre::load(&guest, &ticker, &Limits::default()).unwrap();
        let settings = settings::resolve(&guest, &Default::default()).unwrap();
        let mut instance = loaded.open(&settings, 1, &mut EventLines::default()).unwrap();
        assert_eq!(instance.call(Operation::Encrypt, TEXT).unwrap(), secret);
        instance.take_events();
        for (operation, text, result) in
            [(Operation::Encrypt, TEXT, secret.as_str()), (Operation::Decrypt, secret.as_str(), TEXT)]
        {
            for &first in &cuts {
                for &second in cuts.iter().filter(|&&second| second >= first) {
                    let mut message = instance.message(operation).unwrap().expect("it is a streaming guest");
                    let chunks = [&text[..first], &text[first..second], &text[second..]];
                    let mut joined = Vec::new();
                    for chunk in chunks {
                        message.update(chunk, &mut joined).unwrap();
                    }
                    message.finish(&mut joined).unwrap();
                    assert_eq!(joined, result.as_bytes(), "{name}, cut at {first} and {second}");
                    let length = format!("Length: {}", TEXT.chars().count());
                    let events = instance.take_events();
                    let details: Vec<_> = events.iter().map(|event| event.detail).collect();
                    assert_eq!(details, [length.as_str()]);
                }
            }
        }
    }
}

/// The world of the contract alone.
mod base {
    wasmtime::component::bindgen!({ path: "../wit", world: "encoder-decoder-service" });
}

/// Another host of the same guests, without chunks: all of WASI 0.2, and the contract.
struct OtherHost {
    wasi: WasiCtx,
    resources: ResourceTable,
    events: Vec<(String, String)>,
}

impl WasiView for OtherHost {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

impl audit_log::Host for OtherHost {
    fn auditrecord(&mut self, action: String, detail: String) {
        self.events.push((action, detail));
    }
}

/// Instantiates `component` in another host, where WASI grants nothing.
fn instantiate(engine: &Engine, component: &Component) -> (EncoderDecoderService, Store<OtherHost>) {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
    EncoderDecoderService::add_to_linker::<_, HasSelf<OtherHost>>(&mut linker, |host| host).unwrap();
    let wasi = WasiCtx::builder().allow_tcp(false).allow_udp(false).build();
    let mut store = Store::new(engine, OtherHost { wasi, resources: ResourceTable::new(), events: Vec::new() });
    store.set_epoch_deadline(1);
    (EncoderDecoderService::instantiate(&mut store, component, &linker).unwrap(), store)
}

#[test]
fn guests_run_with_contract_alone() {
    let engine = engine::loader().unwrap();
    for (name, secret) in secrets() {
        let component = artifact::load(&engine, &guest(name), &Limits::default()).unwrap().component;
        let (service, mut store) = instantiate(&engine, &component);
        assert_eq!(service.call_encr(&mut store, TEXT).unwrap(), secret);
        assert_eq!(service.call_decr(&mut store, &secret).unwrap(), TEXT);
        let length = format!("Length: {}", TEXT.chars().count());
        let event = |action: &str| (action.to_owned(), length.clone());
        assert_eq!(store.data().events, [event("encrypt"), event("decrypt")]);
    }
}

#[test]
fn denied_interfaces_match_wasmtime_wasi() {
    let engine = Engine::default();
    for probe in ["probe-environment", "probe-files", "probe-sockets", "probe-stdin"] {
        let bytes = wat::parse_file(format!("tests/misbehaving/{probe}.wat")).unwrap();
        let (service, mut store) = instantiate(&engine, &Component::new(&engine, &bytes).unwrap());
        let expected = service.call_encr(&mut store, "x").unwrap() + "\n";
        let cipher = Cipher::new(["encrypt", "./probe.wasm", "x"]).file("probe.wasm", &bytes);
        cipher.run().exits(0).prints(expected);
    }
}
