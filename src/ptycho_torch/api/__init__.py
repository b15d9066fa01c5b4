"""What an application calls: settings, data, model, training, inference."""
