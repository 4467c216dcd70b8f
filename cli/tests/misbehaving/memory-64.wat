;; Has a memory with 64-bit addresses.
;; $ cipher encrypt memory-64 x
;; status 4
;; stderr error: '[..]/memory-64.wasm' is not a valid component: memory64 must be enabled for 64-bit memories (at offset [..])
(component
  (core module $code
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0))
    (memory (export "memory") i64 1))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
