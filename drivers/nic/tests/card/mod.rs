//! What every card does, by the model of its device, which its tests call `model`.

mod capture;
mod filters;
mod frames;
mod life;
mod nodes;
mod power;
mod troubles;
