;; Returns 1 MiB of "x" for any message.
(component
  (core module $code
    (memory (export "memory") 20)
    (func $start (memory.fill (i32.const 65536) (i32.const 120) (i32.const 0x100000)))
    (start $start)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.store (i32.const 0) (i32.const 65536))
      (i32.store (i32.const 4) (i32.const 0x100000))
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
