;; Computes for 0.1 s or so if the message starts with "!", then returns the message.
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
    (func (export "call") (param $t i32) (param $l i32) (result i32)
      (local $n i32)
      (if (i32.eq (i32.load8_u (local.get $t)) (i32.const 33)) (then
      (local.set $n (i32.const 200000000))
      (loop $more (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
      (i32.store (i32.const 0) (local.get $t))
      (i32.store (i32.const 4) (local.get $l))
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
