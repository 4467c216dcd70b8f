;; Calls a function through a type that has subtypes. Without a garbage collector the engine aborts on that
;; (RUSTSEC-2026-0570), unless it refuses the type.
;; $ cipher encrypt subtype-call x
;; status 4
;; stderr error: '[..]/subtype-call.wasm' is not a valid component: gc proposal must be enabled to use subtypes (at offset [..])
;; $ cipher check subtype-call
;; status 4
;; stderr error: '[..]/subtype-call.wasm' is not a valid component: gc proposal must be enabled to use subtypes (at offset [..])
;; $ printf 'a\nb\n' | cipher encrypt subtype-call --lines
;; status 4
;; stderr error: '[..]/subtype-call.wasm' is not a valid component: gc proposal must be enabled to use subtypes (at offset [..])
;; $ echo '{"algorithm":"subtype-call","operation":"encrypt","message":"x"}' | cipher batch
;; status 3
;; stdout {[..]gc proposal must be enabled to use subtypes[..]}
;; stderr error: 1 of 1 records failed
(component
  (core module $code
    (type $t (sub (func (result i32))))
    (memory (export "memory") 1)
    (table funcref (elem $f))
    (func $f)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (call_indirect (type $t) (i32.const 0))))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
