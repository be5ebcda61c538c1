"""Where everything is put together: sink, queue, export path and providers of this process."""
