;; Has two functions with large frames that call each other through a table without end.
;; $ cipher encrypt recursion-mutual x
;; status 1
;; stderr error: recursion-mutual trapped: its stack overflowed (infinite recursion?)
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (table funcref (elem $call $other))
    (func $call (export "call") (param i32 i32) (result i32)
      (local i64 i64 i64 i64 i64 i64 i64 i64)
      (i32.add (local.get 1) (call_indirect (param i32 i32) (result i32) (local.get 0) (local.get 1) (i32.const 1))))
    (func $other (param i32 i32) (result i32)
      (i32.add (local.get 0) (call_indirect (param i32 i32) (result i32) (local.get 0) (local.get 1) (i32.const 0)))))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
