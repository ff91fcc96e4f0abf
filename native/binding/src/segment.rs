//! `BindingSegment`: a simulated segment that one MainDevice after another takes, and that is asked all the while.

use std::sync::Arc;

use ecat_engine::EngineError;
use ecat_engine::engine::Messenger;
use ecat_engine::error::ErrorCode;
use ecat_engine::link::sys::{Doorbell, monotonic_ns};
use ecat_simulator::request::Request;
use ecat_simulator::{
    FaultDescription, InjectError, Keeper, Segment, SegmentCommand, SegmentDescription,
    SegmentHost, Taken,
};
use napi::Env;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::failure::{guarded, invalid};
use crate::pinned::{Argument, CopiedBytes};

/// An answer of a segment.
#[napi(object, object_from_js = false)]
pub struct BindingSegmentAnswer {
    /// The number of the request.
    pub id: u32,
    /// What came of it, as JSON.
    pub outcome: String,
    /// The bytes of an object, a file or of memory.
    pub data: Option<Buffer>,
}

/// A simulated segment. It is here from its construction on, whoever has it on a wire: an engine, a server, nobody.
#[napi]
pub struct BindingSegment {
    host: SegmentHost,
    devices: String,
    virtual_time: bool,
}

#[napi]
impl BindingSegment {
    /// Builds the segment that the JSON of a `SegmentDescription` describes. With virtual time, none passes while
    /// nobody has it.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        #[napi(ts_arg_type = "string")] description: Argument<String>,
        #[napi(ts_arg_type = "boolean")] virtual_time: Argument<bool>,
    ) -> napi::Result<Self> {
        guarded(&env, || {
            let refused = |error: ecat_simulator::DescriptionError| {
                EngineError::new(ErrorCode::SegmentInvalid, error.to_string())
            };
            let description = SegmentDescription::from_json(&description.0).map_err(refused)?;
            let segment = Segment::new(&description).map_err(refused)?;
            let devices = ecat_simulator::devices::directory(&description).map_err(refused)?;
            let host = SegmentHost::new(segment);
            Ok(Self { host, devices: devices.to_string(), virtual_time: virtual_time.0 })
        })
    }

    /// Names, channels and objects of its devices, in the order of their numbers, as JSON.
    #[napi(getter, catch_unwind)]
    pub fn devices(&self) -> &str {
        &self.devices
    }

    /// Its time when it was seen last, in ns.
    #[napi(getter, catch_unwind)]
    pub fn now_ns(&self) -> f64 {
        self.host.now_ns() as f64
    }

    /// Whether no engine and no server has it.
    #[napi(getter, catch_unwind)]
    pub fn is_at_home(&self) -> bool {
        self.host.is_at_home()
    }

    /// Asks something, as JSON (`{"kind": "state", "device": 3}`) with the bytes that belong to it. Returns the number of
    /// the answer, which `takeAnswers` has at once while nobody has the segment, and else after the bell of whoever
    /// has it; `null` where too many wait already.
    #[napi(catch_unwind)]
    pub fn ask(
        &self,
        env: Env,
        #[napi(ts_arg_type = "string")] request: Argument<String>,
        #[napi(ts_arg_type = "Uint8Array | null")] data: Option<CopiedBytes>,
    ) -> napi::Result<Option<u32>> {
        guarded(&env, || {
            let mut request: Request = serde_json::from_str(&request.0)
                .map_err(|error| invalid(format!("segment request: {error}")))?;
            request.attach(data.map_or_else(Vec::new, |data| data.0.into_vec()));
            Ok(self.host.ask(request, self.home_ns()).ok())
        })
    }

    /// Hands a command over, as JSON (`{"kind": "unplug", "device": 3}`), to be carried out in its turn. False where its
    /// queue is full.
    #[napi(catch_unwind)]
    pub fn command(
        &self,
        env: Env,
        #[napi(ts_arg_type = "string")] command: Argument<String>,
    ) -> napi::Result<bool> {
        guarded(&env, || {
            let command: SegmentCommand = serde_json::from_str(&command.0)
                .map_err(|error| invalid(format!("segment command: {error}")))?;
            Ok(self.host.command(command, self.home_ns()).is_ok())
        })
    }

    /// Hands a fault over, as the JSON of a `FaultDescription`, to begin in its turn; returns its name, or `null` where
    /// the queue is full.
    #[napi(catch_unwind)]
    pub fn inject(
        &self,
        env: Env,
        #[napi(ts_arg_type = "string")] fault: Argument<String>,
    ) -> napi::Result<Option<String>> {
        guarded(&env, || {
            let fault: FaultDescription = serde_json::from_str(&fault.0)
                .map_err(|error| invalid(format!("fault: {error}")))?;
            taken(self.host.inject(&fault, self.home_ns()))
        })
    }

    /// Ends the faults of a name in its turn, or with `null` all of them. False where the queue is full.
    #[napi(catch_unwind)]
    pub fn clear_faults(
        &self,
        env: Env,
        #[napi(ts_arg_type = "string | null")] name: Option<Argument<String>>,
    ) -> napi::Result<bool> {
        guarded(&env, || {
            let cleared = match name {
                Some(name) => self.host.clear(&name.0, self.home_ns()),
                None => {
                    let all = SegmentCommand::ClearFaults;
                    self.host.command(all, self.home_ns()).map_err(InjectError::from)
                }
            };
            taken(cleared).map(|cleared| cleared.is_some())
        })
    }

    /// What faults have done since this was last asked, as JSON.
    #[napi(catch_unwind)]
    pub fn read_hits(&self, env: Env) -> napi::Result<String> {
        guarded(&env, || {
            serde_json::to_string(&self.host.read_hits())
                .map_err(|error| invalid(format!("hits: {error}")))
        })
    }

    /// Answers that were not taken yet, each once.
    #[napi(catch_unwind)]
    pub fn take_answers(&self, env: Env) -> napi::Result<Vec<BindingSegmentAnswer>> {
        guarded(&env, || {
            let answers = std::iter::from_fn(|| self.host.take_answer());
            Ok(answers
                .map(|answer| {
                    let (id, outcome) = (answer.id, answer.json().to_string());
                    let bytes = answer.request.into_bytes();
                    BindingSegmentAnswer {
                        id,
                        outcome,
                        data: (!bytes.is_empty()).then(|| bytes.into()),
                    }
                })
                .collect())
        })
    }

    /// The time of a segment that nobody has: the wall clock's, or none.
    fn home_ns(&self) -> Option<u64> {
        (!self.virtual_time).then(monotonic_ns)
    }
}

impl BindingSegment {
    /// Where it is asked and taken.
    pub fn host(&self) -> &SegmentHost {
        &self.host
    }
}

/// Whether a fault was taken or ended; `None` where too many requests wait.
fn taken<T>(result: Result<T, InjectError>) -> Result<Option<T>, EngineError> {
    match result {
        Ok(taken) => Ok(Some(taken)),
        Err(InjectError::QueueFull) => Ok(None),
        Err(error) => Err(invalid(error.to_string())),
    }
}

/// `ECAT_ERR_LINK_BUSY`: somebody else has it.
pub fn busy(_: Taken) -> EngineError {
    let message = "another MainDevice or server has the simulated segment";
    EngineError::new(ErrorCode::LinkBusy, message)
}

/// An engine that has a segment.
pub struct EngineKeeper(pub Messenger);

impl Keeper for EngineKeeper {
    fn wake(&self) {
        self.0.wake();
    }

    fn answered(&self) {
        self.0.announce();
    }
}

/// A server that has a segment. Nobody is woken by its answers: they are looked for.
pub struct ServerKeeper(pub Arc<Doorbell>);

impl Keeper for ServerKeeper {
    fn wake(&self) {
        self.0.ring();
    }

    fn answered(&self) {}
}
