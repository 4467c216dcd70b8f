;; Asks again and again for more memory than it said it may ever have, and then for less, which it may have.
;; $ cipher encrypt growth-past-own-maximum x
;; status 0
;; stdout
(component
  (core module $code
    (memory (export "memory") 1)
    (memory $bounded 1 2)
    (table $table 1 2 funcref)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (local $left i32)
      (local.set $left (i32.const 1000))
      (loop $again
        (drop (memory.grow $bounded (i32.const 1000)))
        (drop (table.grow $table (ref.null func) (i32.const 1000000)))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (if (i32.eq (i32.const -1) (memory.grow (i32.const 1000)))
        (then (unreachable)))
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
