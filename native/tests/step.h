/* What the model puts before every atomic operation; included before anything else. */
#ifndef EA_STEP
void ea_model_step(void);
#define EA_STEP() ea_model_step()
#endif
