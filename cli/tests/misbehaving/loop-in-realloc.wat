;; Loops while it allocates memory for its argument.
;; $ cipher encrypt loop-in-realloc x --timeout 200ms
;; status 1
;; stderr error: loop-in-realloc ran longer than 200ms (--timeout)
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (loop $forever (br $forever))
      (unreachable))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
