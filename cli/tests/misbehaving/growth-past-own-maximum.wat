;; Asks repeatedly for more memory than the maximum that it declares, and then for less, which succeeds.
;; $ cipher encrypt growth-past-own-maximum x
;; status 0
;; stdout
(component
  (core module $bounded
    (memory 1 2)
    (func (export "grow") (param i32) (result i32)
      (memory.grow (local.get 0))))
  (core instance $bounded (instantiate $bounded))
  (core module $code
    (import "bounded" "grow" (func $grow (param i32) (result i32)))
    (memory (export "memory") 1)
    (table $table 1 2 funcref)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (local $left i32)
      (local.set $left (i32.const 1000))
      (loop $again
        (drop (call $grow (i32.const 1000)))
        (drop (table.grow $table (ref.null func) (i32.const 1000000)))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (if (i32.eq (i32.const -1) (memory.grow (i32.const 1000)))
        (then (unreachable)))
      (i32.const 0)))
  (core instance $i (instantiate $code (with "bounded" (instance $bounded))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
