;; Traps if memory that it adds is not zero, and then writes to it. Instances of a pool once saw the memory of others
;; (RUSTSEC-2026-0088).
;; $ yes | head -n 200 | cipher encrypt grown-memory-of-another --lines --isolate -j2 | wc -l
;; status 0
;; stdout 200
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.mul (memory.grow (i32.const 40)) (i32.const 0x10000)))
      (loop $next
        (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (unreachable)))
        (i64.store (local.get $at) (i64.const -1))
        (local.set $at (i32.add (local.get $at) (i32.const 4096)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 0x280000))))
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
