;; Traps without printing anything; to decrypt, it recurses without end.
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "encr") (param i32 i32) (result i32)
      (unreachable))
    (func $decr (export "decr") (param i32 i32) (result i32)
      (i32.add (i32.const 1) (call $decr (local.get 0) (local.get 1)))))
  (core instance $i (instantiate $code))
  (func $encr (param "input" string) (result string)
    (canon lift (core func $i "encr") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func $decr (param "input" string) (result string)
    (canon lift (core func $i "decr") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $encr))
  (export "decr" (func $decr)))
