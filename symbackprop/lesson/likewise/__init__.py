"""What goes as before is said in a line: the terms of one sum, the derivatives of tensors alike."""
