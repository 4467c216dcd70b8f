(component
  (core module (;0;)
    (type (;0;) (func (param i32 i32)))
    (type (;1;) (func (param i32) (result i32)))
    (type (;2;) (func (result i32)))
    (type (;3;) (func (param i32 i32 i32 i32) (result i32)))
    (table (;0;) 4 funcref)
    (table (;1;) 1 1 funcref)
    (memory (;0;) 1)
    (global (;0;) (mut i32) i32.const 4096)
    (export "0" (func 5))
    (export "1" (memory 0))
    (export "2" (func 6))
    (export "imports" (table 1))
    (elem (;0;) (i32.const 1) func 2)
    (elem (;1;) (i32.const 2) func 4)
    (func (;0;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 0
      call_indirect 1 (type 0)
    )
    (func (;1;) (type 1) (param i32) (result i32)
      local.get 0
      i32.const 2
      call_indirect (type 1)
    )
    (func (;2;) (type 2) (result i32)
      i32.const 4112
      i32.load
    )
    (func (;3;) (type 1) (param i32) (result i32)
      global.get 0
      i32.const 16
      i32.sub
      global.set 0
      i32.const 4096
      i32.const 4
      call 0
      global.get 0
      i32.const 16
      i32.add
      global.set 0
      local.get 0
      call 1
    )
    (func (;4;) (type 1) (param i32) (result i32)
      local.get 0
      i32.const 4112
      i32.load
      i32.add
    )
    (func (;5;) (type 1) (param i32) (result i32)
      local.get 0
      call 3
    )
    (func (;6;) (type 3) (param i32 i32 i32 i32) (result i32)
      i32.const 2
    )
    (data (;0;) (i32.const 4096) "text")
  )
  (core instance (;0;) (instantiate 0))
  (type (;0;) (func (param "text" string)))
  (import "log" (func (;0;) (type 0)))
  (alias core export 0 "1" (core memory (;0;)))
  (alias core export 0 "2" (core func (;0;)))
  (core func (;1;) (canon lower (func 0) (memory 0) (realloc 0)))
  (alias core export 0 "imports" (core table (;0;)))
  (core instance (;1;)
    (export "0" (func 1))
    (export "imports" (table 0))
  )
  (core module (;1;)
    (type (;0;) (func (param i32 i32)))
    (import "" "0" (func (;0;) (type 0) (param i32 i32)))
    (import "" "imports" (table (;0;) 1 1 funcref))
    (elem (;0;) (i32.const 0) func 0)
  )
  (core instance (;2;) (instantiate 1
      (with "" (instance 1))
    )
  )
  (alias core export 0 "0" (core func (;2;)))
  (type (;1;) (func (param "number" s32) (result s32)))
  (func (;1;) (type 1) (canon lift (core func 2)))
  (export (;2;) "run" (func 1))
)
