//! A Kubernetes in memory, as the API server and the garbage collector behave towards us.
//!
//! - [`store`]: objects, versions, and the news that watches would tell. [`write`]: what a write does to an object.
//! - [`address`]: which object a URL speaks of. [`door`]: the way in for a `kube::Client`.
//!
//! It knows nothing of technical users but which kinds there are.

pub mod address;
pub mod door;
pub mod store;
pub mod write;

pub use address::{Address, Kind};
pub use store::Store;
