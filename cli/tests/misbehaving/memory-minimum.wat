;; Has a memory with a minimum of 4 GiB.
;; $ cipher encrypt memory-minimum x
;; status 1
;; stderr error: memory-minimum needs more than 1GiB of memory (--max-memory)
;; $ echo x | cipher encrypt memory-minimum --lines --isolate
;; status 3
;; stderr error: record 1: memory-minimum needs more than 1GiB of memory (--max-memory)
;; stderr error: 1 of 1 records failed
(component
  (core module $code
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0))
    (memory (export "memory") 65536)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
