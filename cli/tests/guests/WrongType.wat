;; Exports a decr that returns a number.
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $encr (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func $decr (param "input" string) (result u32)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $encr))
  (export "decr" (func $decr)))
