;; Has a table with a minimum of eight hundred million elements.
;; $ cipher encrypt table-minimum x
;; status 1
;; stderr error: table-minimum needs a table of more than 1048576 elements
;; $ echo x | cipher encrypt table-minimum --lines --isolate
;; status 1
;; stderr error: table-minimum needs more than an instance gets with --isolate: [..]
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0))
    (table 800000000 funcref))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
