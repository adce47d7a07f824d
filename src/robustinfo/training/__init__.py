"""Training: the one loop, its optimiser steps, augmentation."""
