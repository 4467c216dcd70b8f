;; Grows its table until that fails, and then traps.
;; $ cipher encrypt table-growth x --max-memory 4MiB
;; status 1
;; stderr error: table-growth needs more than 4MiB of memory (--max-memory)
;; $ cipher encrypt table-growth x
;; status 1
;; stderr error: table-growth needs a table of more than 1048576 elements
;; $ echo x | cipher encrypt table-growth --lines --isolate --max-memory 10MiB
;; status 3
;; stderr error: record 1: table-growth trapped: it reached code marked as unreachable
;; stderr error: 1 of 1 records failed
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (table $table 0 funcref)
    (func (export "call") (param i32 i32) (result i32)
      (loop $again
        (br_if $again (i32.ne (i32.const -1) (table.grow $table (ref.null func) (i32.const 0x10000)))))
      (unreachable)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
