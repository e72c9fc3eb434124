//! What every card does, by the model of its device in `crate::model` and the rig around it in `crate::rig`.

mod capture;
mod filters;
mod frames;
mod life;
mod nodes;
mod troubles;
