;; Counts its calls in a global, in a table, in the size of its memory, and in the new page; returns the sum.
;; $ printf 'a\nb\nc\n' | cipher encrypt state-everywhere --lines -j1
;; status 0
;; stdout 4
;; stdout 8
;; stdout <
;; $ printf 'a\nb\nc\nd\ne\nf\n' | cipher encrypt state-everywhere --lines -j2 --isolate
;; status 0
;; stdout 4
;; stdout 4
;; stdout 4
;; stdout 4
;; stdout 4
;; stdout 4
(component
  (core module $code
    (memory (export "memory") 1)
    (global $calls (mut i32) (i32.const 0))
    (table $table 0 funcref)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (local $sum i32)
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (drop (table.grow $table (ref.null func) (i32.const 1)))
      (drop (memory.grow (i32.const 1)))
      (i32.store8 (i32.const 65545) (i32.add (i32.const 1) (i32.load8_u (i32.const 65545))))
      (local.set $sum (i32.add (global.get $calls) (table.size $table)))
      (local.set $sum (i32.add (local.get $sum) (i32.sub (memory.size) (i32.const 1))))
      (local.set $sum (i32.add (local.get $sum) (i32.load8_u (i32.const 65545))))
      (i32.store8 (i32.const 32) (i32.add (i32.const 48) (local.get $sum)))
      (i32.store (i32.const 0) (i32.const 32))
      (i32.store (i32.const 4) (i32.const 1))
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
