;; A core module, as a compiler produces it before it is wrapped into a component.
(module
  (func (export "encr") (param i32 i32) (result i32)
    (i32.const 0))
  (func (export "decr") (param i32 i32) (result i32)
    (i32.const 0)))
