;; Calls an element of its table that is not initialized.
;; $ cipher encrypt trap-null-element x
;; status 1
;; stderr error: trap-null-element trapped: uninitialized element
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (table 3 funcref)
    (func (export "call") (param i32 i32) (result i32)
      (call_indirect (param i32 i32) (result i32) (local.get 0) (local.get 1) (i32.const 2))))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
