;; Traps, and has names in its debugging section that contain terminal sequences.
;; $ RUST_LOG=cipher=debug cipher encrypt names x 2>&1 | tr -d '[:print:]\n' | wc -c
;; status 0
;; stdout 0
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func $call (@name "\1b[31mred\0a[AUDIT] Action: forged") (export "call") (param i32 i32) (result i32)
      (unreachable)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
