;; Has a memory with addresses of 64 bits, and wants more than there is in the world.
;; $ cipher encrypt memory-64 x
;; status 1
;; stderr error: memory-64 needs more than 1GiB of memory (--max-memory)
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0))
    (memory i64 0x1000000000))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
