;; Divides the smallest integer by minus one.
;; $ cipher encrypt trap-division-overflow x
;; status 1
;; stderr error: trap-division-overflow trapped: integer overflow
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.div_s (i32.const 0x80000000) (i32.const -1))))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
