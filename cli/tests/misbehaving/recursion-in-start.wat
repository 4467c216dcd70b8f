;; Recurses without end in its start function.
;; $ cipher encrypt recursion-in-start x
;; status 1
;; stderr error: recursion-in-start trapped: its stack overflowed (infinite recursion?)
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0))
    (func $start
      (call $start)
      (call $start))
    (start $start))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
