;; Divides by zero.
;; $ cipher encrypt trap-division-by-zero x
;; status 1
;; stderr error: trap-division-by-zero trapped: integer divide by zero
;; $ RUST_BACKTRACE=1 RUST_LOG=debug cipher encrypt trap-division-by-zero x 2>&1 | grep -c 'Stack backtrace'
;; status 1
;; stdout 0
;; $ RUST_LIB_BACKTRACE=1 RUST_LOG=debug cipher encrypt trap-division-by-zero x 2>&1 | grep -c 'Stack backtrace'
;; status 0
;; stdout 1
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.div_u (i32.const 1) (i32.const 0))))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
