;; Grows its memory until that fails. Then encr traps, and decr continues.
;; $ cipher encrypt memory-growth x --max-memory 10MiB
;; status 1
;; stderr error: memory-growth needs more than 10MiB of memory (--max-memory)
;; $ cipher encrypt memory-growth x
;; status 1
;; stderr error: memory-growth needs more than 1GiB of memory (--max-memory)
;; $ cipher decrypt memory-growth x --max-memory 10MiB
;; status 0
;; stdout
;; $ ulimit -v 400000; cipher encrypt memory-growth x
;; status 1
;; stderr error: memory-growth needs more memory than is left of the address space of 400000KiB (ulimit -v)
;; $ ulimit -v 400000; cipher decrypt memory-growth x
;; status 0
;; stdout
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func $grow (export "decr") (param i32 i32) (result i32)
      (loop $again (br_if $again (i32.ne (i32.const -1) (memory.grow (i32.const 16)))))
      (i32.const 0))
    (func (export "encr") (param i32 i32) (result i32)
      (drop (call $grow (i32.const 0) (i32.const 0)))
      (unreachable)))
  (core instance $i (instantiate $code))
  (func $encr (param "input" string) (result string)
    (canon lift (core func $i "encr") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func $decr (param "input" string) (result string)
    (canon lift (core func $i "decr") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $encr))
  (export "decr" (func $decr)))
