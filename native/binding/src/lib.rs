//! The Node-API face of the MainDevice and of the simulated segment: types named `Binding*`, no logic.
