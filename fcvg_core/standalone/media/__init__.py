"""Reading and writing of pictures, videos, files of line matches and files of poses."""
