;; Combines the last 8 bytes of its memory with a value as a vector and as a sign. Compiled code once loaded 16 bytes there,
;; beyond the memory (RUSTSEC-2026-0006, RUSTSEC-2026-0087).
;; $ cipher encrypt load-at-end-of-memory x
;; status 0
;; stdout
(component
  (core module $code
    (memory (export "memory") 1 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (f64.store (i32.const 0xfff8) (f64.const 2))
      (if (f64.ne (f64.copysign (f64.const 2) (f64.load (i32.const 0xfff8))) (f64.const 2)) (then (unreachable)))
      (if (f64.ne (f64.copysign (f64.load (i32.const 0xfff8)) (f64.const -1)) (f64.const -2)) (then (unreachable)))
      (if (f64.ne (f64x2.extract_lane 1 (f64x2.splat (f64.load (i32.const 0xfff8)))) (f64.const 2)) (then (unreachable)))
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
