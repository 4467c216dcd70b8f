;; Has a data segment that does not fit into its memory.
;; $ cipher encrypt trap-in-data x
;; status 1
;; stderr error: trap-in-data trapped: out of bounds memory access
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0))
    (data (i32.const 0xffff) "too long"))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
