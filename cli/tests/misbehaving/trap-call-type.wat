;; Calls an element of its table with the wrong type.
;; $ cipher encrypt trap-call-type x
;; status 1
;; stderr error: trap-call-type trapped: indirect call type mismatch
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (table 1 funcref)
    (elem (i32.const 0) func 0)
    (func (export "call") (param i32 i32) (result i32)
      (call_indirect (result i32) (i32.const 0))))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
